package io.bitloom.engine.model;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * From class labels to the condition of the transformer: an embedding, whose last row stands for no
 * class. A label comes as a prompt of one row with one channel, the number of its class.
 */
final class ClassConditioning implements Conditioning {
  private final TorchDevice device;
  private final int classes;
  private final Tensor embedding; // (classes + 1, C)
  private final Linear sharedAdaLin; // null without shared modulation

  ClassConditioning(InfinityConfig config, Parameters parameters) {
    int width = config.embedDim();
    device = parameters.device();
    classes = config.square().classes();
    embedding = parameters.get("class_emb.weight", classes + 1, width);
    sharedAdaLin =
        config.sharedAdaptiveNorm()
            ? parameters.as(DType.F32).linear("shared_ada_lin.1", width, 6 * width)
            : null;
  }

  @Override
  public PackedRows withUnconditional(
      PackedRows prompts, PackedRows negative, List<Integer> guided) {
    List<Integer> lengths = new ArrayList<>(prompts.lengths());
    TensorVector rows = new TensorVector(prompts.rows());
    for (int i : guided) {
      boolean hasNegative = negative != null && negative.lengths().get(i) > 0;
      rows.push_back(hasNegative ? negative.sequence(i) : none(prompts.sequence(i)));
      lengths.add(1);
    }
    return new PackedRows(torch.cat(rows, 0), lengths);
  }

  @Override
  public PackedRows withDropped(PackedRows prompts, List<Boolean> dropped) {
    TensorVector rows = new TensorVector();
    for (int i = 0; i < prompts.count(); i++) {
      rows.push_back(dropped.get(i) ? none(prompts.sequence(i)) : prompts.sequence(i));
    }
    return new PackedRows(torch.cat(rows, 0), prompts.lengths());
  }

  /** The label of no class, in the place of a label. */
  private Tensor none(Tensor label) {
    return Tensors.plus(Tensors.times(label, 0), classes);
  }

  /**
   * @throws IllegalArgumentException if a label is no class of the model
   */
  @Override
  public TextCondition condition(PackedRows prompts, Trace trace) {
    float[] numbers = Tensors.floats(prompts.rows());
    long[] labels = new long[numbers.length];
    for (int i = 0; i < labels.length; i++) {
      float label = numbers[i];
      if (!(label >= 0 && label <= classes && label == Math.rint(label))) {
        throw new IllegalArgumentException(
            "class " + label + ": expected a whole number from 0 to " + (classes - 1));
      }
      labels[i] = (long) label;
    }
    Tensor pooled = Nn.embedding(embedding, Tensors.of(labels, device, labels.length)); // (R, C)
    trace.record("act/sos_cond", pooled);
    return TextCondition.of(
        prompts.rows(), new Texts(prompts.lengths(), null), pooled, sharedAdaLin);
  }
}
