package io.bitloom.engine.model;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** From text features, on whatever device, to the condition of the transformer. */
final class TextConditioning implements Conditioning {
  private final DType dtype; // of linear layers and attention
  private final TorchDevice device;
  private final Supplier<Tensor> cfgUncond; // (max length, text channels)
  private final Norm textNorm;
  private final Tensor poolQuery; // (1, 1, pool heads, C / pool heads)
  private final CrossAttention.TextKeys poolKeys;
  private final Linear poolProj;
  private final double poolScale;
  private final Linear textProj0;
  private final Linear textProj2;
  private final Linear sharedAdaLin; // null without shared modulation

  TextConditioning(InfinityConfig config, Parameters parameters) {
    int width = config.embedDim();
    dtype = parameters.dtype();
    int channels = config.textChannels();
    int poolHeads = config.poolHeads();
    device = parameters.device();
    Tensor learned = parameters.get("cfg_uncond");
    cfgUncond =
        parameters.derived(() -> UnconditionalText.ofLength(learned, config.textMaxLength()));
    textNorm = Norm.rms(config, parameters, "text_norm", channels);
    Parameters pool = parameters.at("text_proj_for_sos.ca.");
    poolQuery = pool.get("mat_q", 1, poolHeads, width / poolHeads);
    poolKeys = new CrossAttention.TextKeys(pool, channels, width, poolHeads);
    poolProj = pool.linear("proj", width, width);
    poolScale = 1 / Math.sqrt((double) width / poolHeads);
    textProj0 = parameters.linear("text_proj_for_ca.0", channels, width);
    textProj2 = parameters.linear("text_proj_for_ca.2", width, width);
    sharedAdaLin =
        config.sharedAdaptiveNorm()
            ? parameters.as(DType.F32).linear("shared_ada_lin.1", width, 6 * width)
            : null;
  }

  /** The learned text that stands for no prompt, as long as the prompt that it replaces. */
  private Tensor unconditional(int length) {
    return cfgUncond.get().narrow(0, 0, length); // (length, text channels)
  }

  @Override
  public PackedRows withUnconditional(
      PackedRows prompts, PackedRows negative, List<Integer> guided) {
    List<Integer> lengths = new ArrayList<>(prompts.lengths());
    TensorVector rows = new TensorVector(prompts.on(device).rows());
    PackedRows given = negative == null ? null : negative.on(device);
    for (int i : guided) {
      boolean hasNegative = given != null && given.lengths().get(i) > 0;
      Tensor text = hasNegative ? given.sequence(i) : unconditional(prompts.lengths().get(i));
      lengths.add(Math.toIntExact(text.size(0)));
      rows.push_back(text);
    }
    return new PackedRows(torch.cat(rows, 0), lengths);
  }

  @Override
  public PackedRows withDropped(PackedRows prompts, List<Boolean> dropped) {
    TensorVector rows = new TensorVector();
    PackedRows given = prompts.on(device);
    for (int i = 0; i < prompts.count(); i++) {
      rows.push_back(dropped.get(i) ? unconditional(prompts.lengths().get(i)) : given.sequence(i));
    }
    return new PackedRows(torch.cat(rows, 0), prompts.lengths());
  }

  @Override
  public TextCondition condition(PackedRows text, Trace trace) {
    Texts texts = Texts.of(text, device, dtype);
    try (Scope scope = Scope.open()) {
      return condition(text.on(device).rows(), texts, trace).keptBy(scope);
    }
  }

  private TextCondition condition(Tensor rowsND, Texts texts, Trace trace) {
    Tensor rows = textNorm.apply(rowsND); // (N, text channels)
    trace.record("act/text_norm", rows);
    Tensor pooled = pool(rows, texts); // (R, C)
    trace.record("act/sos_cond", pooled);
    Tensor hidden = Nn.geluTanh(textProj0.apply(rows), texts.lengths());
    Tensor projected = textProj2.apply(hidden); // (N, C)
    trace.record("act/ca_kv_input", projected);
    TextCondition condition = TextCondition.of(projected, texts, pooled, sharedAdaLin);
    // Where every block has a modulation of its own, the shared layer is the identity.
    Tensor ada = condition.sharedAdaR16C();
    trace.record("act/shared_ada", ada == null ? pooled : ada);
    return condition;
  }

  /** Attention pooling: a learned query reads each text into one vector (R, C). */
  private Tensor pool(Tensor rowsND, Texts texts) {
    Tensor queries = poolQuery.expand(texts.count(), 1, -1, -1); // (R, 1, heads, head size)
    Tensor pooled = poolKeys.of(rowsND, texts).attend(queries, poolScale).squeeze(1);
    return Tensors.to(poolProj.apply(pooled), DType.F32);
  }
}
