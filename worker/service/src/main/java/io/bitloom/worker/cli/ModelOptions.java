package io.bitloom.worker.cli;

import io.bitloom.common.config.ConfigException;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.cpu.CpuThreads;
import io.bitloom.engine.tensor.cpu.Tuning;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The options that say which model is loaded, and how. */
final class ModelOptions {
  /** Types that a model can compute in. */
  enum Precision {
    /** The same on every processor: float32 on CPUs, bfloat16 on GPUs. */
    DEFAULT,
    /** What was measured to be fastest. */
    AUTO,
    FP32,
    BF16
  }

  /** What may become of a batch that is not full. */
  enum Batches {
    /** It is drawn as it is. */
    ANY,
    /** It is filled up, so that no image depends on what it is drawn with. */
    FIXED
  }

  /** In place of a model: those of the cluster are enough. */
  static final String NONE = "none";

  @Spec(Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR",
      defaultValue = "${env:BITLOOM_MODEL:-" + ModelDirectory.DEMO + "}",
      description = {
        "A model directory, or a built-in model: demo (default), small and trained,",
        "or untrained, with random weights and every size."
      })
  private String model;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "${env:BITLOOM_DEVICE:-auto}",
      description = "auto (default), cpu or cuda:N.")
  private String device;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "${env:BITLOOM_DTYPE:-default}",
      description = {
        "default: fp32 on CPUs, whatever the processor, and bf16 on GPUs;",
        "auto: bf16 where it is measured to be faster; fp32; bf16."
      })
  private Precision dtype;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "${env:BITLOOM_THREADS:-0}",
      description = "CPU threads of one operator; 0 (default): as many as help here.")
  private int threads;

  @Option(
      names = "--max-batch",
      paramLabel = "N",
      defaultValue = "${env:BITLOOM_MAX_BATCH:-0}",
      description = "Most images of a batch; 0 (default): what fits and is fast.")
  private int maxBatch;

  @Option(
      names = "--batches",
      paramLabel = "KIND",
      defaultValue = "${env:BITLOOM_BATCHES:-any}",
      description = {
        "any (default): a batch has as many images as there are; fixed: it is filled up to",
        "--max-batch with images that are thrown away, so that all shapes are the same: for GPUs,",
        "where else an image depends on what it is drawn with."
      })
  private Batches batches;

  @Option(
      names = "--text-cache",
      paramLabel = "MIB",
      defaultValue = "${env:BITLOOM_TEXT_CACHE:-64}",
      description = "Memory for encoded texts that may come again, in MiB; 0: none (default: 64).")
  private int textCache;

  @Option(
      names = "--skip-checksums",
      description = "Do not compare the weight files with the SHA-256 in model.json.")
  private boolean skipChecksums;

  @Option(
      names = "--bare-images",
      description = "Do not write prompt, seed, parameters and model into PNG files.")
  private boolean bareImages;

  /** Whether there is to be no model. */
  boolean isNone() {
    return model.equals(NONE);
  }

  /** The model directory, its files checked; throws {@link ParameterException} without one. */
  ModelDirectory open() {
    if (!ModelDirectory.exists(model)) {
      throw new ParameterException(spec.commandLine(), "--model: " + ModelDirectory.unknown(model));
    }
    ModelDirectory directory = ModelDirectory.open(model);
    if (!skipChecksums) {
      directory.verifyFiles();
    }
    return directory;
  }

  /** The settings of the engine; what is wrong with them is wrong usage. */
  EngineConfig config() {
    try {
      EngineConfig defaults = EngineConfig.of(TorchDevice.parse(device));
      return new EngineConfig(
          defaults.device(),
          switch (dtype) {
            case DEFAULT -> defaults.dtype();
            case AUTO -> defaults.device().cuda() ? DType.BF16 : Tuning.fastestType();
            case FP32 -> DType.F32;
            case BF16 -> DType.BF16;
          },
          threads,
          maxBatch,
          defaults.encoderThreads(),
          textCache,
          batches == Batches.FIXED,
          !bareImages);
    } catch (ConfigException | IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--" + e.getMessage());
    }
  }

  /** Whether nobody asked for a type and another one is faster than the default. */
  boolean couldBeFaster(EngineConfig config) {
    return dtype == Precision.DEFAULT
        && !config.device().cuda()
        && Tuning.fastestType() != config.dtype();
  }

  /** The device for people. */
  static String describe(EngineConfig config) {
    String type = config.dtype().name().toLowerCase(Locale.ROOT);
    return config.device().cuda()
        ? config.device() + ", " + type
        : "cpu, " + CpuThreads.choose(config.threads()).threads() + " threads, " + type;
  }
}
