package io.bitloom.worker.generate;

import io.bitloom.v1.DrawnText;
import io.bitloom.v1.GeneratedImages;

/**
 * What became of a prompt.
 *
 * @param images the encoded images, in the order of their index
 * @param text what was drawn, where it is not the prompt's own text or was to be another one; else
 *     empty
 * @param batchImages images that shared the (largest) batch
 * @param durations what its batches spent in each stage
 */
public record DrawnPrompt(
    GeneratedImages images, DrawnText text, int batchImages, StageDurations durations) {}
