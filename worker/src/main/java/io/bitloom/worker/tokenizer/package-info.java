/**
 * The visual tokenizer: a convolutional encoder, the multi-scale residual binary quantizer and a
 * convolutional decoder, and the bitwise self-correction that the transformer is trained with.
 * Section 3 of the paper (arXiv 2412.04431); binary spherical quantization is arXiv 2406.07548.
 *
 * <p>Shape letters: B batch, d bits per feature, H and W the sides of the feature map, h and w
 * those of a scale, K the number of scales.
 */
package io.bitloom.worker.tokenizer;
