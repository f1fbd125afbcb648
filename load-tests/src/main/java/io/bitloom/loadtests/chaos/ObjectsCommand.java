package io.bitloom.loadtests.chaos;

import io.bitloom.common.cli.Range;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ./bitloom bench objects}. */
@Command(
    name = "objects",
    description =
        "Draws a job of a gzip object of an S3 server, with images and manifest on the same server,"
            + " while coordinators are killed; checks that all of it is there.",
    mixinStandardHelpOptions = true)
public final class ObjectsCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Option(names = "--prompts", description = "How many (default: ${DEFAULT-VALUE}).")
  @Range(min = 1000, max = 10_000_000)
  private int prompts = 1_000_000;

  @Option(names = "--workers", description = "How many fake ones (default: ${DEFAULT-VALUE}).")
  @Range(min = 1, max = 64)
  private int workers = 4;

  @Override
  public Integer call() throws Exception {
    Path folder = Files.createTempDirectory("bitloom-objects");
    new ObjectsRun(prompts, workers, spec.commandLine().getOut()).run(folder.toRealPath());
    spec.commandLine().getOut().println("complete; logs and objects in " + folder);
    return 0;
  }
}
