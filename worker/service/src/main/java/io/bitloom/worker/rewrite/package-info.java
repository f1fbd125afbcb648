/**
 * An optional step before text encoding: a language model behind an HTTP endpoint rewrites prompts.
 * Whatever goes wrong there, the prompt is drawn as it is.
 */
package io.bitloom.worker.rewrite;
