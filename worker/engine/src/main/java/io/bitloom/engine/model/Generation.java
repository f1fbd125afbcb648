package io.bitloom.engine.model;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * What the transformer made. The tensors belong to the scope in which it was called.
 *
 * @param summedCodesBdHW the sum of all scales' codes at full size: what the tokenizer decodes
 * @param bits the bits of every scale (B, h·w, d), one byte each; for a VAR entries of the codebook
 *     (B, h·w, 1), int64
 */
public record Generation(Tensor summedCodesBdHW, List<Tensor> bits) {}
