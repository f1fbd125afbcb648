package io.bitloom.worker.cli;

import io.bitloom.common.cli.OptionRule;
import io.bitloom.common.cli.OutputFolder;
import io.bitloom.common.cli.PromptOptions;
import io.bitloom.common.prompt.PromptMessages;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.engine.DrawnScale;
import io.bitloom.engine.EncodedImage;
import io.bitloom.engine.Engine;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.PromptWork;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.worker.rewrite.ChatRewriter;
import io.bitloom.worker.rewrite.PromptRewriterConfig;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code bitloom generate}: draws one prompt in this process, without a cluster. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Draws one prompt in this process, without a cluster.",
    footer = {
      "",
      "  bitloom generate \"a red fox\" --aspect-ratio 3:2 --n 4 --seed 7",
      "  bitloom generate \"a red fox\" --steps --format webp --model DIR"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:The images are on disk.",
      "1:The model cannot be used, or it could not draw the prompt.",
      "2:The command line is wrong."
    })
@OptionRule(
    options = "--bare-images",
    notWith = {"--format=jpeg", "--format=webp", "--format=webp-lossless"})
@OptionRule(
    options = "--quality",
    notWith = {"--format=png", "--format=webp-lossless"})
public final class GenerateCommand implements Callable<Integer> {
  private static final int SEEDS = 1 << 30;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "PROMPT", description = "What to draw.")
  private String text;

  @Option(names = "--out", paramLabel = "DIR", description = "Where to (default: out/generate).")
  private Path out = Path.of("out", "generate");

  @Option(
      names = "--steps",
      description = "Also write the picture after every scale: …_step01 and so on, and …_steps.")
  private boolean steps;

  @Option(names = "--json", description = "Print one JSON document instead of file names.")
  private boolean json;

  @Mixin private PromptOptions options;
  @Mixin private ModelOptions model;
  @Mixin private RewriterOptions rewriter;

  @Override
  public Integer call() {
    ImagePrompt prompt = prompt();
    EngineConfig config = model.config();
    Optional<PromptRewriterConfig> rewriting = rewriter.config();
    ModelDirectory directory = model.open();
    ImagePromptRules.Resolved resolved = directory.resolve(prompt, "generate", 0);
    options.require(directory.check(resolved));
    OutputFolder.make(spec, "--out", out);
    GeneratedFiles files = new GeneratedFiles(out, resolved.prompt());
    GenerateReport report = new GenerateReport(spec.commandLine(), json, directory, resolved);
    Consumer<DrawnScale> observer = steps ? report.andThen(new StepFiles(files)) : report;
    report.start();
    long start = System.nanoTime();
    MeterRegistry metrics = new SimpleMeterRegistry();
    try (Engine engine =
        Engine.open(
            directory,
            config,
            rewriting.map(settings -> new ChatRewriter(settings, metrics)),
            metrics)) {
      long loaded = System.nanoTime();
      PromptWork drawn =
          engine.submit(resolved.schedule(), List.of(resolved.prompt()), observer).prompts().get(0);
      List<EncodedImage> images = drawn.images();
      long end = System.nanoTime();
      images.forEach(image -> GeneratedFiles.write(files.image(image.index()), image.file()));
      report.end(
          files, drawn, steps, Duration.ofNanos(loaded - start), Duration.ofNanos(end - loaded));
    }
    return CommandLine.ExitCode.OK;
  }

  private ImagePrompt prompt() {
    ImagePrompt prompt = PromptMessages.prompt(options.prompt(text));
    return prompt.seed() != null
        ? prompt
        : prompt.toBuilder().seed(ThreadLocalRandom.current().nextInt(SEEDS)).build();
  }
}
