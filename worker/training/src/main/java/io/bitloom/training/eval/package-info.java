/**
 * Measures a model on held-out prompts of the demo data set: whether pictures follow their prompts,
 * judged by a checker that is no model; how well the tokenizer rebuilds pictures; the validation
 * loss.
 */
package io.bitloom.training.eval;
