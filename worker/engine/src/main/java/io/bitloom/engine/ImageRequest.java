package io.bitloom.engine;

/**
 * One image of one prompt.
 *
 * @param index 0 to num_images - 1; with the prompt's seed it starts the random stream
 */
record ImageRequest(PromptWork work, int index) {}
