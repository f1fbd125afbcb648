package io.bitloom.worker.cli;

import com.google.gson.JsonObject;
import io.bitloom.common.cli.OutputFolder;
import io.bitloom.common.cli.Range;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.file.FileFaults;
import io.bitloom.training.data.demo.DemoDataset;
import io.bitloom.training.data.demo.DemoDatasetWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code bitloom demo-data}: draws the demo data set. */
@Command(
    name = "demo-data",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Draws the data set that the demo model learns from.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:The data set is on disk.",
      "1:A file could not be written.",
      "2:The command line is wrong."
    })
public final class DemoDataCommand implements Callable<Integer> {
  private static final int REPORT_EVERY = 2048;

  @Spec private CommandSpec spec;

  @Option(names = "--out", paramLabel = "DIR", required = true, description = "Where to.")
  private Path out;

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = "20000",
      description = "Number of pictures (default: 20000).")
  @Range(min = 1)
  private int count;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "The same seed gives the same pictures (default: 1).")
  private long seed;

  @Option(
      names = "--held-out",
      description = "Draw only compositions that are never drawn without this option.")
  private boolean heldOut;

  @Option(names = "--json", description = "Print one JSON object instead of the file's name.")
  private boolean json;

  @Override
  public Integer call() {
    OutputFolder.make(spec, "--out", out);
    DemoDataset dataset = heldOut ? DemoDataset.heldOut(seed) : DemoDataset.training(seed);
    PrintWriter progress = spec.commandLine().getErr();
    try {
      new DemoDatasetWriter(out)
          .write(
              dataset,
              count,
              done -> {
                if (done % REPORT_EVERY == 0) {
                  progress.println(done + " of " + count + " pictures");
                }
              });
    } catch (IOException e) {
      throw new BitloomException(
          ErrorCode.INTERNAL, "the pictures cannot be written: " + FileFaults.message(e), e);
    }
    Path captions = out.resolve("captions.jsonl");
    if (json) {
      JsonObject event = new JsonObject();
      event.addProperty("event", "data_set");
      event.addProperty("file", captions.toString());
      event.addProperty("pictures", count);
      spec.commandLine().getOut().println(event);
    } else {
      spec.commandLine().getOut().println(captions);
    }
    return CommandLine.ExitCode.OK;
  }
}
