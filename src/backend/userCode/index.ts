/** Running the user's own code in the backend: slices of model files, and data modules. */
export { evaluatePlan, type EvaluatedPlan } from './evaluatePlan';
export { loadUserModule } from './loadUserModule';
