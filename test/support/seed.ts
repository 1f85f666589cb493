import fc from 'fast-check';

/**
 * The same commit gives the same result: what properties are tried on is drawn from one seed. Other draws are for
 * `SHRINKNETS_FUZZ`, which takes a new seed each time, and prints it where it fails.
 */
if (process.env['SHRINKNETS_FUZZ'] === undefined) fc.configureGlobal({ seed: 20261130 });
