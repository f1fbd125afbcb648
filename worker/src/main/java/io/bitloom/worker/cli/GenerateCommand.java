package io.bitloom.worker.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.common.cli.PromptOptions;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.results.ImageName;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.Prompt;
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

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "PROMPT", description = "What to draw.")
  private String text;

  @Option(names = "--out", paramLabel = "DIR", description = "Where to (default: out/generate).")
  private Path out = Path.of("out", "generate");

  @Option(names = "--json", description = "Print one JSON document instead of file names.")
  private boolean json;

  @Mixin private PromptOptions options;
  @Mixin private ModelOptions model;

  @Override
  public Integer call() throws IOException {
    Prompt prompt = prompt();
    ModelDirectory directory = model.open();
    List<String> sizes = directory.sizes().stream().map(SizeClass::label).toList();
    PromptRules.Resolved resolved =
        PromptRules.resolve(
            prompt, Prompt.getDefaultInstance(), directory.defaults(), sizes, "generate", 0);
    options.require(PromptRules.check(resolved, sizes, directory.transformer().depth()));
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
    Prompt prompt = options.prompt(text);
    return prompt.hasSeed()
        ? prompt
        : prompt.toBuilder().setSeed(ThreadLocalRandom.current().nextInt(SEEDS)).build();
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
      String extension = ImageName.extension(image.getFormat());
      String name = prompt.getSeed() + "-" + image.getIndex() + "." + extension;
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
