/**
 * Residual codes: what lies between the tokenizer's features and the transformer's tokens, for
 * every quantizer. Section 3 of the paper (arXiv 2412.04431).
 *
 * <ul>
 *   <li>{@link io.bitloom.engine.codes.ResidualQuantizer}: Algorithm 1, the loop over scales, and
 *       its inverse
 *   <li>{@link io.bitloom.engine.codes.BitwiseSelfCorrection}: Algorithm 2
 *   <li>{@link io.bitloom.engine.codes.Quantizer}: Q of a single scale: BSQ (arXiv 2406.07548), LFQ
 *       (2310.05737), FSQ (2309.15505), VQ with a codebook of moving averages (1711.00937), and RVQ
 *       (2107.03312), which is a VQ for every scale; {@link
 *       io.bitloom.engine.codes.QuantizerConfig} says which one a tokenizer has
 *   <li>{@link io.bitloom.engine.codes.ResidualCodes}: from what is drawn for a scale's tokens to
 *       the sum of codes and the next scale's input
 * </ul>
 *
 * <p>Words: <i>features</i> F are what the encoder makes, (B, d, H, W), and nothing else; the
 * <i>residual</i> of a scale is what earlier scales leave of them; a position of a map is a
 * <i>cell</i>. A cell's <i>digits</i> say what was quantized: R_k, d bits for BSQ; its <i>code</i>
 * is the value that they stand for, ±1/√d for BSQ. <i>Summed codes</i> F_k are the codes of the
 * first k scales, upsampled and added. A <i>token</i> is what the transformer sees: a cell, or 2×2
 * cells under spatial patchify.
 *
 * <p>Shape letters: B batch, d channels of a cell, n digits of a cell, H and W the sides of the
 * feature map, h and w those of a scale, N cells, L tokens, D channels of a token, K scales.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.codes;
