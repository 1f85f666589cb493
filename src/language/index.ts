/** Reading model sources and writing learned widths back: see DESIGN.md, "Front-ends". */
export { languageOf, loadParsers, type Parsers } from './parsers';
export { followSource, readSource, type FollowedSource, type Source } from './readSource';
export { chooseModel, makePlan, showProblem, whyUnusable } from './makePlan';
export {
  applyEdits,
  invertEdits,
  planEdits,
  type FileEdits,
  type LearnedWidths,
  type PlannedEdits,
} from './planEdits';
export { joinCells, readNotebookJson, type NotebookCell, type NotebookSource } from './notebook';
export { editNotebookJson } from './notebookJson';
export { type SourceFiles } from './sourceFiles';
export type { ModuleLibrary, ModuleRequest } from './writeModule/request';
export { writeModule } from './writeModule/writeModule';
export { hintCompletions, hintHover, type HintCompletion, type HintHover } from './hints/assist';
export type {
  Dependent,
  Hint,
  HintWord,
  ModelKind,
  ModelParameter,
  ModelReading,
  ReadSite,
  SourceReading,
  WidthTrace,
} from './reading';
