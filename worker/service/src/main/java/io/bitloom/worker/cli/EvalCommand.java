package io.bitloom.worker.cli;

import io.bitloom.common.cli.OptionRule;
import io.bitloom.common.cli.OutputFolder;
import io.bitloom.common.cli.Range;
import io.bitloom.common.cli.SamplingOptions;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.file.FileFaults;
import io.bitloom.common.file.WholeFile;
import io.bitloom.common.prompt.PromptMessages;
import io.bitloom.engine.Engine;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.training.data.demo.DemoDataset;
import io.bitloom.training.data.demo.DemoPictures;
import io.bitloom.training.eval.EvalPrompt;
import io.bitloom.training.eval.EvalPrompts;
import io.bitloom.training.eval.EvalReport;
import io.bitloom.training.eval.ModelLosses;
import io.bitloom.training.eval.PictureDistribution;
import io.bitloom.training.eval.PromptFollowing;
import io.bitloom.training.eval.SamplingVariant;
import io.bitloom.training.eval.Tally;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bitloom eval}: measures how well a model follows held-out prompts. */
@Command(
    name = "eval",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Measures how well a model follows held-out prompts of the demo data set.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:The report is on disk, whatever it says.",
      "1:The model or the prompt list cannot be used, or a file could not be written.",
      "2:The command line is wrong."
    })
@OptionRule(options = "--prompt-seed", onlyWith = "--print-prompts")
@OptionRule(options = OptionRule.ALL, except = "--prompt-seed", notWith = "--print-prompts")
public final class EvalCommand implements Callable<Integer> {
  private static final long PICTURE_SEED = 77;

  /** Held-out pictures that the drawn ones are compared with as a whole. */
  private static final int COMPARED_PICTURES = 1000;

  @Spec private CommandSpec spec;

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description = "Prompt list (default: the built-in list of 300 held-out prompts).")
  private Path prompts;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "out/eval",
      description = "Where to (default: out/eval).")
  private Path out;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "2147483647",
      description = "Only the first N prompts.")
  @Range(min = 1)
  private int limit;

  @Option(
      names = "--ablation",
      description = "Also draw all prompts greedily, normally and with three kinds of guidance.")
  private boolean ablation;

  @Option(
      names = "--pictures",
      paramLabel = "N",
      defaultValue = "64",
      description = "Held-out pictures for PSNR, SSIM and loss; 0 for none (default: 64).")
  @Range(min = 0)
  private int pictures;

  @Option(
      names = "--print-prompts",
      paramLabel = "N",
      description = "Print a list of N held-out prompts, and do nothing else.")
  @Range(min = 1)
  private Integer printed;

  @Option(
      names = "--prompt-seed",
      paramLabel = "S",
      defaultValue = "2026",
      description = "Seed of --print-prompts (default: 2026, that of the built-in list).")
  private long promptSeed;

  @Option(names = "--json", description = "Print the report as one JSON object.")
  private boolean json;

  @Mixin private SamplingOptions sampling;
  @Mixin private ModelOptions model;

  @Override
  public Integer call() {
    try {
      return measure();
    } catch (IOException | UncheckedIOException e) {
      throw new BitloomException(
          ErrorCode.INTERNAL, "the report cannot be written: " + FileFaults.message(e), e);
    }
  }

  private int measure() throws IOException {
    PrintWriter print = spec.commandLine().getOut();
    if (printed != null) {
      EvalPrompts.draw(printed, promptSeed).forEach(prompt -> print.println(prompt.line()));
      return CommandLine.ExitCode.OK;
    }
    List<EvalPrompt> all = prompts == null ? EvalPrompts.builtIn() : read();
    List<EvalPrompt> drawn = all.subList(0, Math.min(limit, all.size()));
    ModelDirectory directory = model.open();
    SamplingVariant asked =
        new SamplingVariant("as asked", PromptMessages.sampling(sampling.sampling()));
    sampling.require(PromptFollowing.check(drawn, asked, directory));
    EvalReport report = new EvalReport(directory);
    Path folder = out.resolve("pictures");
    OutputFolder.make(spec, "--out", folder);
    try (Engine engine = Engine.open(directory, model.config())) {
      PromptFollowing following = new PromptFollowing(engine);
      following.draw(
          drawn,
          asked,
          outcome -> {
            report.add(outcome);
            save(folder.resolve(outcome.prompt().id() + ".png"), outcome.png());
          });
      if (ablation) {
        for (SamplingVariant variant : SamplingVariant.ablation()) {
          following.draw(drawn, variant, outcome -> report.add(variant, outcome));
        }
      }
    }
    if (pictures > 0) {
      report.set(ModelLosses.measure(directory, pictures, PICTURE_SEED));
    }
    if (drawn.size() > PictureDistribution.FEATURES) { // below that a covariance says little
      report.compareWith(heldOut());
    }
    report.write(out);
    print(report, print);
    return CommandLine.ExitCode.OK;
  }

  private void print(EvalReport report, PrintWriter print) {
    if (json) {
      print.println(report.event(out));
      return;
    }
    for (Tally.Metric metric : Tally.Metric.values()) {
      print.printf(
          Locale.ROOT,
          "%-24s %5.1f %% of %d%n",
          metric.label(),
          100 * report.all().rate(metric),
          report.all().of(metric));
    }
    print.println(out.resolve("report.md"));
  }

  private List<EvalPrompt> read() {
    try {
      return EvalPrompts.read(prompts);
    } catch (WeightsException e) {
      throw new ParameterException(spec.commandLine(), "--prompts: " + e.getMessage());
    }
  }

  private static PictureDistribution heldOut() {
    DemoDataset dataset = DemoDataset.heldOut(PICTURE_SEED);
    DemoPictures drawings = new DemoPictures();
    PictureDistribution heldOut = new PictureDistribution();
    for (int i = 0; i < COMPARED_PICTURES; i++) {
      heldOut.add(drawings.draw(dataset.example(i)));
    }
    return heldOut;
  }

  private static void save(Path file, byte[] png) {
    try {
      WholeFile.write(file, png);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
