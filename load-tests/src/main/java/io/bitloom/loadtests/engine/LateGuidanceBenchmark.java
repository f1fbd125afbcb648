package io.bitloom.loadtests.engine;

import io.bitloom.common.cli.Range;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.model.Generation;
import io.bitloom.engine.model.GenerationBatch;
import io.bitloom.engine.model.ImageSampling;
import io.bitloom.engine.model.ScaleObserver;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.DeviceThread;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bitloom bench guidance}: what guidance at the last scales costs, and what it changes. */
@Command(
    name = "guidance",
    mixinStandardHelpOptions = true,
    description =
        "Draws the same images with guidance 4 at all scales and without it at the last ones, and"
            + " prints, as a Markdown table, the transformer's time and how far bits and pictures"
            + " agree with those that are guided throughout.")
public final class LateGuidanceBenchmark implements Callable<Integer> {
  private static final double GUIDANCE = 4;
  private static final double TEMPERATURE = 1;
  private static final double TOP_P = 0.97;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      defaultValue = "${env:BITLOOM_HOME:-.}/load-tests/models/full125m",
      description = "A model directory (default: ${DEFAULT-VALUE}, random weights).")
  private String model;

  @Option(
      names = "--schedule",
      defaultValue = "1.0_0.06M",
      description = "The scale schedule (default: ${DEFAULT-VALUE}).")
  private String schedule;

  @Option(
      names = "--most",
      defaultValue = "4",
      description = "Unguided scales to try, from 0 on (default: ${DEFAULT-VALUE}).")
  @Range(min = 0)
  private int most;

  @Option(
      names = "--images",
      defaultValue = "3",
      description = "Images, each with a prompt and a seed of its own (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int images;

  @Option(names = "--greedy", description = "Take the likelier state of every bit.")
  private boolean greedy;

  @Spec private CommandSpec spec;

  /** One image: the bits of every scale, the picture, and the transformer's seconds. */
  private record Drawn(List<byte[]> bits, byte[] picture, double seconds) {}

  @Override
  public Integer call() {
    ScaleSchedule shape =
        ScaleSchedules.find(schedule)
            .orElseThrow(() -> usage("--schedule: there is no schedule \"" + schedule + "\""));
    if (most > shape.scales().size()) {
      throw usage("--most must be at most " + shape.scales().size() + ", the scales of " + shape);
    }
    ModelDirectory directory = ModelDirectory.open(model);
    try (DeviceThread thread = new DeviceThread(TorchDevice.CPU)) {
      thread.call(
          () -> {
            try (BenchmarkedModel loaded =
                new BenchmarkedModel(directory, TorchDevice.CPU, DType.F32)) {
              measure(loaded, shape);
            }
            return null;
          });
    }
    return 0;
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private void measure(BenchmarkedModel loaded, ScaleSchedule shape) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(
        "| unguided scales | share of tokens | transformer s | saved | bits of the first such scale"
            + " | all bits | PSNR dB |");
    out.println("|---|---|---|---|---|---|---|");
    int scales = shape.scales().size();
    draw(loaded, shape, 0, 0); // warms up
    List<List<Drawn>> drawn = new ArrayList<>();
    for (int unguided = 0; unguided <= most; unguided++) {
      drawn.add(new ArrayList<>());
    }
    for (int image = 0;
        image < images;
        image++) { // all variants in turn: the machine's rate drifts
      for (int unguided = 0; unguided <= most; unguided++) {
        drawn.get(unguided).add(draw(loaded, shape, unguided, image));
      }
    }
    for (int unguided = 0; unguided <= most; unguided++) {
      row(out, shape, unguided, drawn.get(0), drawn.get(unguided), scales - unguided);
    }
    out.flush();
  }

  private Drawn draw(BenchmarkedModel loaded, ScaleSchedule shape, int unguided, int image) {
    int scales = shape.scales().size();
    List<Double> guidance = new ArrayList<>(Collections.nCopies(scales - unguided, GUIDANCE));
    guidance.addAll(Collections.nCopies(unguided, 1.0));
    ImageSampling sampling =
        new ImageSampling(
            image,
            0,
            guidance,
            Set.of(ImageSampling.LOGITS),
            Collections.nCopies(scales, TEMPERATURE),
            greedy ? 1 : 0,
            TOP_P);
    try (Scope scope = Scope.open()) {
      List<String> prompt = List.of("prompt " + image + " of a red fox asleep in fresh snow");
      GenerationBatch batch =
          new GenerationBatch(
              shape.scales(), loaded.textEncoder().encode(prompt, 64), null, List.of(sampling));
      long start = System.nanoTime();
      Generation made = loaded.transformer().generate(batch, ScaleObserver.NONE);
      double seconds = (System.nanoTime() - start) / 1e9;
      return new Drawn(
          made.bits().stream().map(Tensors::bytes).toList(),
          Tensors.bytes(loaded.tokenizer().pictures(made.summedCodesBdHW())),
          seconds);
    }
  }

  private void row(
      PrintWriter out,
      ScaleSchedule shape,
      int unguided,
      List<Drawn> guided,
      List<Drawn> drawn,
      int firstUnguided) {
    int scales = shape.scales().size();
    long tokens =
        shape.scales().subList(firstUnguided, scales).stream().mapToLong(s -> s.tokens()).sum();
    double all = median(guided);
    double[] agreement = new double[3];
    for (int i = 0; i < drawn.size(); i++) {
      Drawn with = guided.get(i);
      Drawn without = drawn.get(i);
      if (unguided > 0) {
        agreement[0] +=
            same(with.bits().get(firstUnguided), without.bits().get(firstUnguided)) / images;
      }
      agreement[1] += same(joined(with.bits()), joined(without.bits())) / images;
      agreement[2] += psnr(with.picture(), without.picture()) / images;
    }
    out.printf(
        Locale.ROOT,
        "| %d | %.0f %% | %.2f | %.0f %% | %s | %.1f %% | %s |%n",
        unguided,
        100.0 * tokens / shape.tokens(),
        median(drawn),
        100 * (1 - median(drawn) / all),
        unguided == 0 ? "–" : String.format(Locale.ROOT, "%.1f %%", 100 * agreement[0]),
        100 * agreement[1],
        unguided == 0 ? "–" : String.format(Locale.ROOT, "%.1f", agreement[2]));
  }

  private static double median(List<Drawn> drawn) {
    double[] seconds = drawn.stream().mapToDouble(Drawn::seconds).sorted().toArray();
    return seconds[seconds.length / 2];
  }

  private static byte[] joined(List<byte[]> bits) {
    byte[] all = new byte[bits.stream().mapToInt(scale -> scale.length).sum()];
    int at = 0;
    for (byte[] scale : bits) {
      System.arraycopy(scale, 0, all, at, scale.length);
      at += scale.length;
    }
    return all;
  }

  private static double same(byte[] one, byte[] other) {
    int equal = 0;
    for (int i = 0; i < one.length; i++) {
      equal += one[i] == other[i] ? 1 : 0;
    }
    return (double) equal / one.length;
  }

  /** Peak signal-to-noise ratio of 8-bit pictures. */
  private static double psnr(byte[] one, byte[] other) {
    double squares = 0;
    for (int i = 0; i < one.length; i++) {
      double difference = (one[i] & 0xff) - (other[i] & 0xff);
      squares += difference * difference;
    }
    return Arrays.equals(one, other)
        ? Double.POSITIVE_INFINITY
        : 10 * Math.log10(255.0 * 255.0 * one.length / squares);
  }
}
