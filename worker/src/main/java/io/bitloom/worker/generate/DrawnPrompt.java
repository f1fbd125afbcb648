package io.bitloom.worker.generate;

import io.bitloom.v1.GeneratedImages;

/**
 * What became of a prompt.
 *
 * @param images the encoded images, in the order of their index
 * @param batchImages images that shared the (largest) batch
 * @param durations what its batches spent in each stage
 */
public record DrawnPrompt(GeneratedImages images, int batchImages, StageDurations durations) {}
