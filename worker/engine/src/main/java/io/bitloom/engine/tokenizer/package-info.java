/**
 * The visual tokenizer: a convolutional encoder and a convolutional decoder on both sides of the
 * multi-scale residual quantizer, which is in {@link io.bitloom.engine.codes}. Section 3 of the
 * paper (arXiv 2412.04431).
 *
 * <p>Shape letters: B batch, d bits per feature, H and W the sides of the feature map, h and w
 * those of a scale, K the number of scales.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.tokenizer;
