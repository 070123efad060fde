/** Examples of filters that come with collections in Ansible: ansible.utils and community.general. */
import type { Example } from "./example-table.ts";

type Row = readonly [name: string, says: string, expression: string, prints: string, collection?: string];
const rows: readonly Row[] = [
  [
    "cidr_merge",
    "networks that touch as one",
    "['10.0.0.0/25', '10.0.0.128/25'] | cidr_merge",
    "['10.0.0.0/24']",
  ],
  ["hwaddr", "a hardware address in a form", "'1a2b3c4d5e6f' | hwaddr('linux')", "1a:2b:3c:4d:5e:6f"],
  ["macaddr", "the same as hwaddr", "'1a:2b:3c:4d:5e:6f' | macaddr('cisco')", "1a2b.3c4d.5e6f"],
  ["ip4_hex", "an IPv4 address in hexadecimal", "'10.0.0.1' | ip4_hex", "0a000001"],
  [
    "ipaddr",
    "an address if it is one, or what is asked of it: address, network, netmask, prefix, broadcast, private, an index, a network …",
    "'192.168.1.17/24' | ipaddr('network/prefix')",
    "192.168.1.0/24",
  ],
  ["ipv4", "IPv4 addresses only", "['10.0.0.1', 'fe80::1'] | ipv4", "['10.0.0.1']"],
  ["ipv6", "IPv6 addresses only", "['10.0.0.1', 'fe80::1'] | ipv6", "['fe80::1']"],
  ["ipwrap", "IPv6 addresses in brackets", "'fe80::1' | ipwrap", "[fe80::1]"],
  [
    "ipsubnet",
    "the n-th subnet of a size; without n how many",
    "'10.20.0.0/16' | ipsubnet(24, 5)",
    "10.20.5.0/24",
  ],
  ["ipmath", "an address so much further", "'192.168.1.5' | ipmath(5)", "192.168.1.10"],
  ["nthhost", "the n-th address of a network", "'10.0.0.0/8' | nthhost(305)", "10.0.1.49"],
  [
    "network_in_network",
    "whether a network holds another",
    "'10.0.0.0/24' | network_in_network('10.0.0.9')",
    "True",
  ],
  [
    "network_in_usable",
    "whether a host may have it",
    "'10.0.0.0/24' | network_in_usable('10.0.0.0')",
    "False",
  ],
  ["next_nth_usable", "so many addresses on", "'10.0.0.1/24' | next_nth_usable(2)", "10.0.0.3"],
  ["previous_nth_usable", "so many addresses back", "'10.0.0.9/24' | previous_nth_usable(2)", "10.0.0.7"],
  [
    "reduce_on_network",
    "addresses of a network",
    "['10.0.0.4', '10.1.0.4'] | reduce_on_network('10.0.0.0/24')",
    "['10.0.0.4']",
  ],
  ["usable_range", "all addresses", "('10.0.0.0/31' | usable_range).usable_ips", "['10.0.0.0', '10.0.0.1']"],
  [
    "json_query",
    "what a JMESPath expression finds",
    "[{'n': 'a', 'v': 1}, {'n': 'b', 'v': 2}] | json_query('[?v > `1`].n')",
    "['b']",
    "community.general",
  ],
  [
    "counter",
    "how often each item is there",
    "['a', 'b', 'a'] | counter",
    "{'a': 2, 'b': 1}",
    "community.general",
  ],
  ["crc32", "a checksum", "'abc' | crc32", "352441c2", "community.general"],
  ["dict_kv", "a mapping of one key", "'alice' | dict_kv('user')", "{'user': 'alice'}", "community.general"],
  [
    "from_csv",
    "rows of CSV text as mappings",
    "'n,v\na,1' | from_csv",
    "[{'n': 'a', 'v': '1'}]",
    "community.general",
  ],
  [
    "groupby_as_dict",
    "a list as a mapping, by a member of each",
    "[{'n': 'a'}] | groupby_as_dict('n')",
    "{'a': {'n': 'a'}}",
    "community.general",
  ],
  [
    "lists_mergeby",
    "lists of mappings as one, by a member",
    "[{'n': 1, 'a': 1}] | lists_mergeby([{'n': 1, 'b': 2}], 'n')",
    "[{'n': 1, 'a': 1, 'b': 2}]",
    "community.general",
  ],
  [
    "unicode_normalize",
    "one form of accents",
    "'e\u0301' | unicode_normalize('NFC') | length",
    "1",
    "community.general",
  ],
  [
    "version_sort",
    "versions in order",
    "['1.10', '1.9'] | version_sort",
    "['1.9', '1.10']",
    "community.general",
  ],
];

export const collectionExamples: readonly Example[] = rows.map(
  ([name, says, expression, prints, collection = "ansible.utils"]) => ({
    name,
    says,
    prints,
    // The bare name is for our users; Ansible is asked by the full one.
    expression,
    asked: expression.replace(new RegExp(`\\| ${name}\\b`), `| ${collection}.${name}`),
  }),
);
