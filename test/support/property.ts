/**
 * fast-check for every property test: `npm test` tries the same samples each time, so that a red run is the change's
 * own; the long tier looks elsewhere each time. A failure prints its seed: PROVISION_TEST_SEED tries it again.
 */
import fc from "fast-check";

const told = process.env["PROVISION_TEST_SEED"];
const isLong = process.env["PROVISION_TEST_LONG"] !== undefined;

if (told !== undefined) fc.configureGlobal({ seed: Number(told) });
else if (!isLong) fc.configureGlobal({ seed: 1 });

export default fc;
