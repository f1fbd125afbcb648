package io.bitloom.loadtests.gpu;

import com.google.gson.JsonObject;
import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * An operator of the models at a shape that occurs.
 *
 * @param kind what it is
 * @param name which of its kind
 * @param rows of the batch, R; pictures of a convolution
 * @param tokens of the scale, L; places of a square map
 * @param seen keys of an attention, or channels into a product or a convolution
 * @param width channels out of it, C
 * @param heads of an attention or rotation; 1 for others
 * @param calls how often it is called for a batch of images
 */
record Operator(
    Kind kind, String name, long rows, long tokens, long seen, long width, long heads, long calls) {

  /** What an operator is, for shares of time. */
  enum Kind {
    PRODUCT("matrix products"),
    ATTENTION("attention"),
    NORM("norms, rotations, gates"),
    ROTATION("norms, rotations, gates"),
    GATE("norms, rotations, gates"),
    CONVOLUTION("decoder");

    private final String part;

    Kind(String part) {
      this.part = part;
    }

    /** The part of the time that it counts to. */
    String part() {
      return part;
    }
  }

  /** Calls of one run, so that what is measured is not the wait for the device. */
  private static final int OF_ONE_RUN = 10;

  /**
   * The operators of all blocks at one scale.
   *
   * @param rows of the batch at that scale
   * @param text tokens of each text
   */
  static List<Operator> ofScale(
      InfinityConfig config, List<Scale> scales, int k, long rows, long text) {
    long width = config.embedDim();
    long hidden = config.mlpWidth();
    long heads = config.numHeads();
    long tokens = scales.get(k).tokens();
    long seen = scales.subList(0, k + 1).stream().mapToLong(Scale::tokens).sum();
    int depth = config.depth();
    List<Operator> operators = new ArrayList<>();
    operators.add(product("q, k, v", rows, tokens, width, 3 * width, depth));
    operators.add(product("width to width", rows, tokens, width, width, 3 * depth));
    operators.add(product("into the MLP", rows, tokens, width, hidden, depth));
    operators.add(product("out of the MLP", rows, tokens, hidden, width, depth));
    operators.add(new Operator(Kind.ATTENTION, "self", rows, tokens, seen, width, heads, depth));
    operators.add(new Operator(Kind.ATTENTION, "cross", rows, tokens, text, width, heads, depth));
    operators.add(new Operator(Kind.NORM, "norm", rows, tokens, 0, width, 1, 3 * depth));
    operators.add(new Operator(Kind.ROTATION, "rotation", rows, tokens, seen, width, heads, depth));
    operators.add(new Operator(Kind.GATE, "gate", rows, tokens, 0, width, 1, 3 * depth));
    return operators;
  }

  private static Operator product(
      String name, long rows, long tokens, long in, long out, long calls) {
    return new Operator(Kind.PRODUCT, name, rows, tokens, in, out, 1, calls);
  }

  /** The 3×3 convolutions of the residual blocks that decode one square picture. */
  static List<Operator> ofDecoder(TokenizerConfig config, ScaleSchedule schedule) {
    List<Scale> scales = config.scales(schedule);
    int levels = config.chMult().size();
    List<Operator> operators = new ArrayList<>();
    for (int i = levels - 1; i >= 0; i--) {
      long side = (long) scales.get(scales.size() - 1).height() << (levels - 1 - i);
      long channels = (long) config.baseCh() * config.chMult().get(i);
      long calls = 2L * (config.numResBlocks() + 1);
      operators.add(
          new Operator(
              Kind.CONVOLUTION, "level " + i, 1, side * side, channels, channels, 1, calls));
    }
    return operators;
  }

  /** Floating-point operations of a call; 0 where they are not what takes the time. */
  double flop() {
    return switch (kind) {
      case PRODUCT -> 2.0 * rows * tokens * seen * width;
      case ATTENTION -> 4.0 * rows * tokens * seen * width;
      case CONVOLUTION -> 2.0 * 3 * 3 * rows * tokens * seen * width;
      case NORM, ROTATION, GATE -> 0;
    };
  }

  /** Its shape, as a row of the report and for what measures it elsewhere. */
  JsonObject json() {
    return new Row()
        .with("operator", kind.name().toLowerCase(Locale.ROOT))
        .with("name", name)
        .with("rows", rows)
        .with("tokens", tokens)
        .with("seen or in", seen)
        .with("width", width)
        .with("heads", heads)
        .json();
  }

  /** Seconds of a call on a device. */
  Repeats.Spread seconds(TorchDevice device, DType dtype, Repeats.Limit limit) {
    try (Scope scope = Scope.open();
        InferenceMode inference = new InferenceMode(true);
        Call call = call(device, dtype)) {
      return Repeats.of(
              limit,
              () -> {
                device.synchronize();
                long start = System.nanoTime();
                for (int i = 0; i < OF_ONE_RUN; i++) {
                  try (Scope each = Scope.open()) {
                    call.run();
                  }
                }
                device.synchronize();
                return new double[] {(System.nanoTime() - start) / 1e9 / OF_ONE_RUN};
              })
          .of(0);
    }
  }

  /** The operator with its inputs; what is not in the open scope is freed at the end. */
  private interface Call extends AutoCloseable {
    void run();

    @Override
    default void close() {}
  }

  private Call call(TorchDevice device, DType dtype) {
    long head = width / heads;
    switch (kind) {
      case PRODUCT -> {
        Tensor x = random(device, dtype, rows, tokens, seen);
        Linear linear =
            Linear.frozen(random(device, dtype, width, seen), random(device, dtype, width));
        return new Call() {
          @Override
          public void run() {
            linear.apply(x);
          }

          @Override
          public void close() {
            linear.close();
          }
        };
      }
      case ATTENTION -> {
        Tensor queries = random(device, DType.F32, rows, tokens, heads, head);
        Tensor keys = random(device, dtype, rows, seen, heads, head);
        Tensor values = random(device, dtype, rows, seen, heads, head);
        return () -> Nn.attention(queries, keys, values, null, 1 / Math.sqrt(head));
      }
      case NORM -> {
        Tensor x = random(device, DType.F32, rows, tokens, width);
        Tensor scale = random(device, DType.F32, rows, 1, width);
        Tensor shift = random(device, DType.F32, rows, 1, width);
        return () -> Nn.modulatedNorm(x, false, 1e-6, scale, shift, dtype);
      }
      case ROTATION -> {
        Tensor qkv = random(device, dtype, rows, tokens, 3, heads, head);
        Tensor factor = random(device, DType.F32, 1, 1, heads, 1);
        Tensor angles = torch.view_as_complex(random(device, DType.F32, 1, tokens, 1, head / 2, 2));
        long before = seen - tokens;
        Kernels.Slot slot = cache(before, head, dtype, device).slot(before, tokens);
        return () -> Nn.rotateAndStore(qkv, factor, angles, slot);
      }
      case GATE -> {
        Tensor x = random(device, DType.F32, rows, tokens, width);
        Tensor added = random(device, dtype, rows, tokens, width);
        Tensor gate = random(device, DType.F32, rows, 1, width);
        return () -> Nn.gatedAdd(x, added, gate);
      }
      case CONVOLUTION -> {
        long side = Math.round(Math.sqrt(tokens));
        Tensor map = random(device, dtype, rows, seen, side, side);
        Tensor weight = random(device, dtype, width, seen, 3, 3);
        Tensor bias = random(device, dtype, width);
        return () -> Nn.conv2d(map, weight, bias, 1, 1);
      }
      default -> throw new IllegalStateException(kind.toString());
    }
  }

  /** The cache of a block that has seen so many tokens and now sees the last ones. */
  private Kernels.BlockCache cache(long before, long head, DType dtype, TorchDevice device) {
    Kernels.CacheSize size =
        new Kernels.CacheSize(
            1,
            Math.toIntExact(rows),
            before,
            tokens,
            Math.toIntExact(heads),
            Math.toIntExact(head));
    return Nn.caches(size, dtype, device).get(0);
  }

  private static Tensor random(TorchDevice device, DType dtype, long... shape) {
    return torch.randn(shape, Tensors.options(dtype, device));
  }
}
