/** Ties the types of a module's parts together, and hides them from the catalogue, which holds modules of all kinds. */
import type { AnyModule, ControllerModule, Module } from "./module.ts";

export const defineModule = <Args, State>(module: Module<Args, State>): AnyModule => module;

export const defineControllerModule = <Args>(module: ControllerModule<Args>): AnyModule => module;
