import { openEngine } from "../../engine/engine.ts";
import { engineConformance } from "../conformance/engine.ts";

engineConformance("engine", openEngine);
