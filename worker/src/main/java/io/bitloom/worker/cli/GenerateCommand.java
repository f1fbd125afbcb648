package io.bitloom.worker.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import io.bitloom.worker.generate.DrawnPrompt;
import io.bitloom.worker.generate.GenerationPipeline;
import io.bitloom.worker.generate.PromptWork;
import io.bitloom.worker.modeldir.ModelDirectory;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadLocalRandom;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code bitloom generate}: draws one prompt in this process, without a cluster. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Draws one prompt in this process, without a cluster.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:The images are on disk.",
      "1:The model cannot be used, or it could not draw the prompt.",
      "2:The command line is wrong."
    })
public final class GenerateCommand implements Callable<Integer> {
  private static final int SEEDS = 1 << 30;

  /** File formats by their usual names. */
  enum Format {
    PNG(ImageFormat.IMAGE_FORMAT_PNG),
    JPEG(ImageFormat.IMAGE_FORMAT_JPEG);

    private final ImageFormat format;

    Format(ImageFormat format) {
      this.format = format;
    }

    String extension() {
      return this == PNG ? "png" : "jpg";
    }
  }

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "PROMPT", description = "What to draw.")
  private String text;

  @Option(names = "--negative-prompt", paramLabel = "TEXT", description = "What not to draw.")
  private String negativePrompt = "";

  @Option(
      names = "--aspect-ratio",
      paramLabel = "W:H",
      description = "Shape, for example 3:2; the nearest known one is taken (default: 1:1).")
  private String aspectRatio;

  @Option(names = "--size", paramLabel = "SIZE", description = "0.06M, 0.25M, 0.60M or 1M.")
  private String size = "";

  @Option(names = "--n", paramLabel = "N", description = "Number of images (default: 1).")
  private int images = 1;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The same seed gives the same images (default: random).")
  private Long seed;

  @Option(
      names = "--guidance",
      paramLabel = "X",
      split = ",",
      description = "How closely to follow the prompt: one number, or one per scale.")
  private List<Double> guidance = List.of();

  @Option(
      names = "--temperature",
      paramLabel = "X",
      split = ",",
      description = "How freely bits are drawn: one number, or one per scale.")
  private List<Double> temperature = List.of();

  @Option(names = "--top-p", paramLabel = "X", description = "Leaves out unlikely bits.")
  private Double topP;

  @Option(names = "--greedy", description = "Take the likelier state of every bit.")
  private boolean greedy;

  @Option(names = "--format", paramLabel = "FORMAT", description = "png (default) or jpeg.")
  private Format format = Format.PNG;

  @Option(names = "--out", paramLabel = "DIR", description = "Where to (default: out/generate).")
  private Path out = Path.of("out", "generate");

  @Option(names = "--json", description = "Print one JSON document instead of file names.")
  private boolean json;

  @Mixin private ModelOptions model;

  @Override
  public Integer call() throws IOException {
    Prompt prompt = prompt();
    ModelDirectory directory = model.open();
    List<String> sizes = directory.sizes().stream().map(SizeClass::label).toList();
    PromptRules.Resolved resolved =
        PromptRules.resolve(
            prompt, Prompt.getDefaultInstance(), directory.defaults(), sizes, "generate", 0);
    requireNone(PromptRules.checkModelSize(resolved.prompt().getSize(), sizes));
    Files.createDirectories(out);
    try (GenerationPipeline pipeline =
        GenerationPipeline.load(directory, model.config(), new SimpleMeterRegistry())) {
      PromptWork work =
          pipeline
              .submit(resolved.schedule(), List.of(resolved.prompt()), scale -> {})
              .prompts()
              .get(0);
      report(directory, resolved, save(resolved.prompt(), drawn(work)));
    }
    return CommandLine.ExitCode.OK;
  }

  private Prompt prompt() {
    Sampling.Builder sampling =
        Sampling.newBuilder()
            .addAllGuidance(guidance)
            .addAllTemperature(temperature)
            .setGreedy(greedy);
    if (topP != null) {
      sampling.setTopP(topP);
    }
    Prompt.Builder prompt =
        Prompt.newBuilder()
            .setPrompt(text)
            .setNegativePrompt(negativePrompt)
            .setSize(size)
            .setNumImages(images)
            .setSeed(seed == null ? ThreadLocalRandom.current().nextInt(SEEDS) : seed)
            .setSampling(sampling)
            .setFormat(format.format);
    if (aspectRatio != null) {
      prompt.setAspectRatio(aspectRatio);
    }
    requireNone(PromptRules.defaults().check(prompt.build()));
    return prompt.build();
  }

  private void requireNone(List<FieldViolation> violations) {
    if (!violations.isEmpty()) {
      throw new ParameterException(spec.commandLine(), violations.get(0).toString());
    }
  }

  private static DrawnPrompt drawn(PromptWork work) {
    try {
      return work.result().join();
    } catch (CompletionException e) {
      throw (RuntimeException) e.getCause(); // a BitloomException
    }
  }

  private List<Path> save(Prompt prompt, DrawnPrompt drawn) throws IOException {
    List<Path> files = new ArrayList<>();
    for (GeneratedImage image : drawn.images().getImagesList()) {
      String name = prompt.getSeed() + "-" + image.getIndex() + "." + format.extension();
      Path file = out.resolve(name);
      Files.write(file, image.getData().toByteArray());
      files.add(file);
    }
    return files;
  }

  private void report(ModelDirectory directory, PromptRules.Resolved resolved, List<Path> files) {
    PrintWriter print = spec.commandLine().getOut();
    if (json) {
      JsonArray names = new JsonArray();
      files.forEach(file -> names.add(file.toString()));
      JsonObject document = new JsonObject();
      document.addProperty("model", directory.name());
      document.addProperty("model_digest", directory.digest());
      document.addProperty("schedule", resolved.schedule().id());
      document.addProperty("seed", resolved.prompt().getSeed());
      document.add("files", names);
      print.println(document);
    } else {
      files.forEach(print::println);
      spec.commandLine().getErr().println(directory.name() + ": " + directory.description());
    }
    print.flush();
  }
}
