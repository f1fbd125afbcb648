package io.bitloom.engine.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.codes.BitCodes;
import io.bitloom.engine.codes.ResidualCodes;
import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.LowRank;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.Lead;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The Infinity transformer: predicts an image's bits scale by scale, all tokens of a scale at once,
 * each scale seeing the text and all earlier scales.
 */
public final class InfinityTransformer implements AutoCloseable {
  private final InfinityConfig config;
  private final Parameters parameters;
  private final DType dtype;
  private final Conditioning conditioning;
  private final Tensor posStart; // (1, 1, C)
  private final Tensor lvlEmbed; // (scales, C)
  private final PositionEmbedding positions; // null where positions are rotary
  private final Norm wordNorm; // or null
  private final Linear wordEmbed;
  private final List<TransformerBlock> blocks;
  private final Head head;
  private final Rope2d rope; // null where positions are embedded
  private final ResidualCodes codes;
  private final Map<List<Scale>, Tensor> masks = new HashMap<>();

  private InfinityTransformer(
      InfinityConfig config, Parameters parameters, ResidualCodes codes, DType dtype) {
    int width = config.embedDim();
    this.config = config;
    this.parameters = parameters;
    this.dtype = dtype;
    SquareVar square = config.square();
    conditioning =
        square == null
            ? new TextConditioning(config, parameters)
            : new ClassConditioning(config, parameters);
    posStart = parameters.get("pos_start", 1, 1, width);
    lvlEmbed = parameters.get("lvl_embed.weight", config.maxScales(), width);
    positions = PositionEmbedding.of(config, parameters);
    wordNorm =
        config.wordNorm()
            ? Norm.affine(config, parameters, "norm0_ve", config.bitsPerToken())
            : null;
    wordEmbed = parameters.as(DType.F32).linear("word_embed", config.bitsPerToken(), width);
    blocks =
        IntStream.range(0, config.depth())
            .mapToObj(k -> new TransformerBlock(config, k, parameters.at(config.blockName(k))))
            .toList();
    head = new Head(config, parameters);
    rope =
        positions == null
            ? new Rope2d(config.headDim(), config.ropeMode(), parameters.device())
            : null;
    this.codes = codes;
  }

  /**
   * A model for generation. It takes the matrices out of the weights one by one, so that they never
   * lie in memory twice, and does not need the weights afterwards.
   *
   * @param dtype type of the linear layers and the KV cache; embeddings, norms, the residual stream
   *     and the head are float32 in any case
   * @throws io.bitloom.engine.tensor.WeightsException if the weights do not fit the architecture
   */
  public static InfinityTransformer forInference(
      InfinityConfig config, Weights weights, TorchDevice device, DType dtype) {
    if (config.square() != null) {
      throw new IllegalArgumentException("a VAR needs the codebook of its tokenizer");
    }
    return forInference(config, weights, bitCodes(config), device, dtype);
  }

  /**
   * {@link #forInference(InfinityConfig, Weights, TorchDevice, DType)} with other codes than bits.
   *
   * @param codes of the tokenizer; closed with the model
   * @throws io.bitloom.engine.tensor.WeightsException if the weights do not fit the architecture
   */
  public static InfinityTransformer forInference(
      InfinityConfig config,
      Weights weights,
      ResidualCodes codes,
      TorchDevice device,
      DType dtype) {
    InfinityLayout.check(config, weights);
    return new InfinityTransformer(config, Parameters.frozen(weights, device, dtype), codes, dtype);
  }

  /**
   * A model whose {@link #forward} gradients can flow through to the weights, which must outlive
   * it; among them may be low-rank changes ({@link LowRank}).
   *
   * @param dtype what linear layers and attention compute in; weights, norms, the residual stream,
   *     embeddings and the head are float32 in any case
   * @throws io.bitloom.engine.tensor.WeightsException if the weights do not fit the architecture
   */
  public static InfinityTransformer forTraining(
      InfinityConfig config, Weights weights, TorchDevice device, DType dtype) {
    InfinityLayout.check(config, weights, LowRank::isPart);
    return new InfinityTransformer(
        config, Parameters.trainable(weights, device, dtype), bitCodes(config), dtype);
  }

  private static ResidualCodes bitCodes(InfinityConfig config) {
    return new BitCodes(config.tokenizerChannels(), config.spatialPatchify());
  }

  /** The architecture. */
  public InfinityConfig config() {
    return config;
  }

  /** Bytes of KV cache that one image of a schedule takes. */
  public long kvBytesPerImage(List<Scale> scales, boolean guided) {
    return KvCache.bytesPerImage(config, scales, dtype, guided);
  }

  /** {@link #generate(GenerationBatch, ScaleObserver, Trace)} without a trace. */
  public Generation generate(GenerationBatch batch, ScaleObserver observer) {
    return generate(batch, observer, Trace.NONE);
  }

  /**
   * Draws a batch of images: the tokens R_k of scale k from p(R_k | R_1 … R_{k−1}, text), which the
   * transformer sees as the text and the sum F_{k−1} of all earlier scales' codes (equation 1 of
   * the paper). The result belongs to the scope that is open.
   *
   * @param observer told after every scale
   * @param trace shown {@code act/…}, {@code next_scale_input/k} and {@code logits/k}
   * @throws IllegalArgumentException if the batch does not fit the model
   */
  public Generation generate(GenerationBatch batch, ScaleObserver observer, Trace trace) {
    requireFitting(batch);
    List<Scale> scales = batch.scales();
    Tensor angles = angles(scales); // (1, L, 1, c/2)
    try (Scope scope = Scope.open();
        InferenceMode inference = new InferenceMode(true);
        Lead lead = new Lead(parameters.device())) {
      Guidance guidance = new Guidance(batch, config.depth(), parameters.device());
      int tokens = scales.stream().mapToInt(Scale::tokens).sum();
      Sampler sampler = new Sampler(batch.images(), tokens, config, parameters.device());
      TextCondition condition = conditioning.condition(textOf(batch, guidance), trace);
      KvCache cache = new KvCache(config, scales, condition.rows(), dtype, parameters.device());
      List<TransformerBlock.Context> contexts = contexts(condition, cache);

      Tensor x = startToken(condition); // (R, 1, C)
      Tensor summed =
          codes.none(batch.size(), last(scales), parameters.device()); // F_0 (B, ch, H, W)
      List<Tensor> bits = new ArrayList<>();
      int position = 0;
      for (int k = 0; k < scales.size(); k++) {
        try (Scope scaleScope = Scope.open()) {
          Scale scale = scales.get(k);
          Tensor angle = rope == null ? null : angles.narrow(1, position, scale.tokens());
          Tensor hidden =
              throughBlocks(scales, k, x, contexts, angle, guidance, trace.at("act/scale", k));
          cache.advance(scale.tokens());
          Tensor logits = guidance.logits(k, hidden, condition.pooledRC(), head); // (B, h·w, V)
          trace.record("logits/" + k, logits);
          Tensor drawn = sampler.draw(logits); // R_k (B, h·w, d)
          bits.add(scaleScope.keep(drawn));
          summed.add_(codes.upsampled(drawn, k, scales)); // F_k (B, ch, H, W)
          position += scale.tokens();
          if (k + 1 < scales.size()) {
            Tensor input = codes.nextInput(summed, scales.get(k + 1)); // F̃_k (B, h·w, d)
            trace.record("next_scale_input/" + (k + 1), input);
            x = scaleScope.keep(guidance.forRows(k + 1, embed(input))); // (R, h·w, C)
          }
        }
        lead.step();
        observer.drawn(k, summed);
      }
      bits.replaceAll(scope::keep);
      return new Generation(scope.keep(summed), bits);
    }
  }

  /**
   * The teacher-forced pass of training: all scales at once, each token seeing its own and earlier
   * scales.
   *
   * @param prompts text features of the B prompts
   * @param dropped which prompts are replaced by the unconditional text
   * @param inputsBLd the sum of earlier scales as every token but the first sees it (B, L − 1, d)
   * @return logits (B, L, V)
   */
  public Tensor forward(
      PackedRows prompts, List<Boolean> dropped, Tensor inputsBLd, List<Scale> scales) {
    TeacherForcing forcing = teacherForcing(prompts, dropped, inputsBLd, scales);
    Tensor x = forcing.startBLC();
    for (int i = 0; i < blocks.size(); i++) {
      x = forcedThroughBlock(i, x, forcing.condition(), scales);
    }
    return head.logits(x, forcing.condition().pooledRC());
  }

  /**
   * {@link #forward} that keeps only the input of every block and computes the rest once more on
   * the way back: less memory, a third more time.
   */
  public RecomputedPass forwardToRecompute(
      PackedRows prompts, List<Boolean> dropped, Tensor inputsBLd, List<Scale> scales) {
    TeacherForcing forcing = teacherForcing(prompts, dropped, inputsBLd, scales);
    return new RecomputedPass(
        forcing,
        blocks.size(),
        (i, x, condition) -> forcedThroughBlock(i, x, condition, scales),
        (x, condition) -> head.logits(x, condition.pooledRC()));
  }

  /** What goes into the blocks when all scales are given: tokens (B, L, C) and the texts. */
  record TeacherForcing(Tensor startBLC, TextCondition condition) {}

  private TeacherForcing teacherForcing(
      PackedRows prompts, List<Boolean> dropped, Tensor inputsBLd, List<Scale> scales) {
    TextCondition condition =
        conditioning.condition(conditioning.withDropped(prompts, dropped), Trace.NONE);
    Tensor start = startToken(condition); // (B, 1, C)
    return new TeacherForcing(
        scales.size() == 1 ? start : torch.cat(new TensorVector(start, embed(inputsBLd)), 1),
        condition);
  }

  private Tensor forcedThroughBlock(
      int i, Tensor xBLC, TextCondition condition, List<Scale> scales) {
    Tensor mask = masks.computeIfAbsent(scales, this::mask); // (1, 1, L, L)
    TransformerBlock.Tokens tokens =
        new TransformerBlock.Tokens(() -> torch.cat(perScale(scales), 1), angles(scales), mask);
    TransformerBlock block = blocks.get(i);
    return block.forward(xBLC, block.context(condition, null), tokens, Trace.NONE); // (B, L, C)
  }

  private Tensor mask(List<Scale> scales) {
    try (Scope scope = Scope.open()) {
      return Scope.own(BlockCausalMask.of(scales, parameters.device()));
    }
  }

  private Tensor throughBlocks(
      List<Scale> scales,
      int k,
      Tensor xRLC,
      List<TransformerBlock.Context> contexts,
      Tensor angle,
      Guidance guidance,
      Trace trace) {
    Tensor level = levelEmbedding(k, scales);
    TransformerBlock.Tokens tokens = new TransformerBlock.Tokens(() -> level, angle, null);
    Tensor x = xRLC.narrow(0, 0, guidance.rows(k));
    for (int from = 0, to; from < blocks.size(); from = to) {
      to = guidance.combiningBlock(k, from) + 1;
      List<Integer> stack = IntStream.range(from, to).boxed().toList();
      Kernels.OfRows chain =
          (rows, first, count) ->
              Scope.fold(
                  rows,
                  stack,
                  (in, i) -> {
                    TransformerBlock.Context context = contexts.get(i).rows(first, count);
                    return blocks.get(i).forward(in, context, tokens, trace.at("block", i));
                  });
      try (Scope scope = Scope.open()) {
        Tensor out = trace.isOn() ? chain.apply(x, 0, guidance.rows(k)) : Nn.rowWise(x, chain);
        x = scope.keep(guidance.afterBlock(k, to - 1, out)); // (R, l, C)
      }
    }
    return x;
  }

  private PackedRows textOf(GenerationBatch batch, Guidance guidance) {
    List<Integer> guided = guidance.guidedImages();
    PackedRows texts =
        guided.isEmpty()
            ? batch.prompts()
            : conditioning.withUnconditional(batch.prompts(), batch.negative(), guided);
    return batch.textRoom() == 0 ? texts : texts.withRoom(batch.textRoom());
  }

  private List<TransformerBlock.Context> contexts(TextCondition condition, KvCache cache) {
    return IntStream.range(0, blocks.size())
        .mapToObj(i -> blocks.get(i).context(condition, cache.layer(i)))
        .toList();
  }

  private Tensor startToken(TextCondition condition) {
    return condition.pooledRC().unsqueeze(1).add(posStart); // (R, 1, C)
  }

  /** Inputs (B, L, d) as tokens (B, L, C). */
  private Tensor embed(Tensor inputsBLd) {
    return wordEmbed.apply(wordNorm == null ? inputsBLd : wordNorm.apply(inputsBLd));
  }

  /** What is added to the tokens of scale k: (1, 1, C), with embedded positions (1, h·w, C). */
  private Tensor levelEmbedding(int k, List<Scale> scales) {
    Tensor level = lvlEmbed.narrow(0, k, 1).unsqueeze(0); // (1, 1, C)
    return positions == null ? level : level.add(positions.of(k, scales));
  }

  /** The rotary angles of all tokens (1, L, 1, c/2), or null. */
  private Tensor angles(List<Scale> scales) {
    return rope == null ? null : rope.table(scales);
  }

  private TensorVector perScale(List<Scale> scales) {
    TensorVector levels = new TensorVector();
    for (int k = 0; k < scales.size(); k++) {
      levels.push_back(levelEmbedding(k, scales).expand(1, scales.get(k).tokens(), -1));
    }
    return levels;
  }

  private static Scale last(List<Scale> scales) {
    return scales.get(scales.size() - 1);
  }

  private void requireFitting(GenerationBatch batch) {
    SquareVar square = config.square();
    if (square != null && !square.scales().equals(batch.scales())) {
      throw new IllegalArgumentException(
          "a class-conditional model draws the scales " + square.sides() + " only");
    }
    requireFitting("prompt", batch.prompts());
    if (batch.negative() != null) {
      requireFitting("negative prompt", batch.negative());
    }
  }

  private void requireFitting(String what, PackedRows features) {
    if (features.channels() != config.textChannels()) {
      throw new IllegalArgumentException(
          what
              + ": features of "
              + features.channels()
              + " channels, the model takes "
              + config.textChannels());
    }
    for (int length : features.lengths()) {
      if (length > config.textMaxLength()) {
        throw new IllegalArgumentException(
            what + ": " + length + " text rows, the model takes at most " + config.textMaxLength());
      }
    }
  }

  @Override
  public void close() {
    masks.values().forEach(Tensor::close);
    masks.clear();
    if (rope != null) {
      rope.close();
    }
    if (positions != null) {
      positions.close();
    }
    codes.close();
    parameters.close();
  }
}
