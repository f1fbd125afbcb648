package io.bitloom.engine.tokenizer;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.codes.Bits;
import io.bitloom.engine.codes.ResidualQuantizer;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.HostBytes;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;

/**
 * The visual tokenizer: pictures to bits and back. The networks compute in the type and on the
 * device of their weights; the quantizer always in float32.
 *
 * <p>Scales are those of the tokenizer, that is doubled where the transformer uses spatial
 * patchify.
 */
public final class VisualTokenizer implements AutoCloseable {
  /** The official module registers its quantizer under both names. */
  static final Set<String> MASKS = Set.of("quantizer.lfq.mask", "quantize.lfq.mask");

  /** Buffers that a file may hold besides. */
  static final Set<String> UNUSED =
      Set.of("quantizer.lfq.mask", "quantize.lfq.mask", "quantize.ema_vocab_hit_SV");

  private static final Pattern IN_DECODER = Pattern.compile("(?:decoder|post_quant_conv)\\..*");

  private final TokenizerConfig config;
  private final Weights weights;
  private final Encoder encoder;
  private final Decoder decoder;
  private final Layer quantConv; // after the encoder
  private final Layer postQuantConv; // before the decoder
  private final ResidualQuantizer quantizer;
  private final DType dtype;

  /**
   * A tokenizer with these weights, which stay the caller's and can be closed; names with and
   * without the infixes {@code .conv} and {@code .norm} are understood.
   *
   * @throws WeightsException naming the tensor, if one is missing or has another shape than the
   *     settings ask for
   */
  public VisualTokenizer(TokenizerConfig config, Weights weights) {
    this.config = config;
    this.weights = readied(weights);
    try {
      encoder = new Encoder(config, this.weights.at("encoder."));
      decoder = new Decoder(config, this.weights.at("decoder."));
      quantConv = codebookConvolution("quant_conv.");
      postQuantConv = codebookConvolution("post_quant_conv.");
      quantizer = ResidualQuantizer.ofBits(config.codebookDim());
      dtype = Tensors.dtype(this.weights.get("decoder.conv_in.conv.weight"));
      MASKS.forEach(this::checkMask);
    } catch (RuntimeException e) {
      this.weights.close();
      throw e;
    }
  }

  /**
   * Weights under their official names, those of the decoder as the device likes them. The encoder
   * has its maps in the usual layout ({@link #features}), which follows that of the weights.
   */
  private static Weights readied(Weights weights) {
    try (Weights official = TokenizerNames.official(weights)) {
      Weights readied = new Weights(weights.source());
      for (String name : official.names()) {
        try (Scope scope = Scope.open()) {
          Tensor tensor = official.get(name);
          boolean filters = tensor.dim() == 4 && IN_DECODER.matcher(name).matches();
          readied.put(name, new Tensor(filters ? Nn.filters(tensor) : tensor));
        }
      }
      return readied;
    }
  }

  /** The convolution beside a codebook; bits have none. */
  private Layer codebookConvolution(String name) {
    int channels = config.codebookDim();
    return config.vectorQuantized()
        ? Convolution.of3x3(weights.at(name), channels, channels)
        : x -> x;
  }

  /** The architecture. */
  public TokenizerConfig config() {
    return config;
  }

  /**
   * The quantizer.
   *
   * @throws IllegalStateException if the tokenizer has a codebook: it decodes only
   */
  public ResidualQuantizer quantizer() {
    if (config.vectorQuantized()) {
      throw new IllegalStateException("a tokenizer with a codebook has no bits");
    }
    return quantizer;
  }

  /** Names of weights that this architecture has no use for; the codes read the codebook. */
  public Set<String> unexpected() {
    Set<String> unexpected = new LinkedHashSet<>(weights.unused());
    if (config.vectorQuantized()) {
      unexpected.removeIf(name -> name.startsWith("quantize."));
    }
    return unexpected;
  }

  /**
   * Pictures (B, 3, H·p, W·p) of 8-bit RGB to features (B, d, H, W) in float32. Whatever the
   * pictures' layout in memory, they are encoded in the usual one: group norm rounds differently in
   * each, and the bits that a model learns must be those that it is served with.
   */
  public Tensor features(Tensor picturesB3HW) {
    try (Scope scope = Scope.open()) {
      Tensor signal = Tensors.to(Pixels.toSignal(picturesB3HW.contiguous()), dtype);
      return scope.keep(Tensors.to(quantConv.forward(encoder.forward(signal)), DType.F32));
    }
  }

  /** Pictures (B, 3, H·p, W·p) of 8-bit RGB to bits; the last scale is (H, W). */
  public ResidualQuantizer.Encoding encode(Tensor picturesB3HW, List<Scale> scales) {
    Tensor features = features(picturesB3HW);
    return quantizer().encode(features, scales);
  }

  /** Summed codes (B, d, H, W) to the decoder's output (B, 3, H·p, W·p) in float32, not clamped. */
  public Tensor decode(Tensor summedCodesBdHW) {
    return decode(summedCodesBdHW, (name, map) -> {});
  }

  /** {@link #decode(Tensor)}, which also shows the output of every module of the decoder. */
  Tensor decode(Tensor summedCodesBdHW, BiConsumer<String, Tensor> observer) {
    try (Scope scope = Scope.open()) {
      Tensor codes = postQuantConv.forward(Tensors.to(summedCodesBdHW, dtype));
      return scope.keep(Tensors.to(decoder.forward(codes, observer), DType.F32));
    }
  }

  /** Summed codes (B, d, H, W) to pictures (B, H·p, W·p, 3) of 8-bit RGB. */
  public Tensor pictures(Tensor summedCodesBdHW) {
    try (Scope scope = Scope.open()) {
      Tensor bytes = Pixels.toBytes(decode(summedCodesBdHW)); // (B, 3, H·p, W·p)
      return scope.keep(bytes.permute(0, 2, 3, 1).contiguous());
    }
  }

  /**
   * {@link #pictures} in the memory of the JVM, row by row. A device that takes work in advance is
   * given all of it, and waited for once.
   *
   * @param wanted pictures that are decoded, from the first one on
   * @param atOnce pictures that are decoded at a time
   */
  public List<byte[]> rgb(Tensor summedCodesBdHW, int wanted, int atOnce) {
    List<HostBytes> queued = new ArrayList<>();
    try {
      for (int from = 0; from < wanted; from += atOnce) {
        try (Scope scope = Scope.open()) {
          long count = Math.min(atOnce, summedCodesBdHW.size(0) - from);
          queued.add(HostBytes.of(pictures(summedCodesBdHW.narrow(0, from, count))));
        }
      }
      TorchDevice.of(summedCodesBdHW).synchronize();
      return queued.stream().flatMap(pictures -> pictures.parts().stream()).limit(wanted).toList();
    } finally {
      queued.forEach(HostBytes::close);
    }
  }

  /**
   * Runs encoder and decoder on one picture and shows the output of every module under its official
   * name ({@code encoder.down.0.block.1}); for comparison with the reference.
   */
  public void observe(Tensor pictureB3HW, List<Scale> scales, BiConsumer<String, Tensor> observer) {
    try (Scope scope = Scope.open()) {
      Tensor signal = Tensors.to(Pixels.toSignal(pictureB3HW), dtype);
      Tensor features =
          encoder.layers().forward(signal, (name, x) -> observer.accept("encoder." + name, x));
      Tensor summedCodes = quantizer().encode(features, scales).summedCodes();
      decoder
          .layers()
          .forward(
              Tensors.to(summedCodes, dtype), (name, x) -> observer.accept("decoder." + name, x));
    }
  }

  /**
   * The buffer that the reference reads integer labels with: place values, the first bit highest.
   */
  private void checkMask(String name) {
    weights
        .find(name)
        .ifPresent(
            mask -> {
              int d = config.codebookDim();
              if (!Arrays.equals(Tensors.longs(mask), Bits.places(d))) {
                throw new WeightsException(
                    weights.source(), name, "is not 2^" + (d - 1) + " down to 1");
              }
            });
  }

  @Override
  public void close() {
    weights.close();
  }
}
