/**
 * The quantizers that a tokenizer can be trained with: BSQ (arXiv 2406.07548), LFQ (2310.05737), VQ
 * with a codebook of moving averages (1711.00937), FSQ (2309.15505), and residual quantization over
 * scales of growing size (Infinity, section 3.2) or of the same size (RVQ, 2107.03312).
 *
 * <p>Letters: B batch, d channels, h and w sides of a map, N tokens, n digits of a token.
 */
package io.bitloom.worker.tokenizer.quantizer;
