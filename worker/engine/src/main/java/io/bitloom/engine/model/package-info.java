/**
 * The Infinity transformer (arXiv 2412.04431): predicts the bits of an image scale by scale. Names
 * follow the paper and the official implementation; a suffix of a tensor's name gives its axes: B
 * images, R rows of the batch (conditional, then unconditional images), L tokens, C width, H heads,
 * c head size, d bits per token, V logits per token, K scales. Knows nothing of gRPC, Redis or
 * HTTP.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.model;
