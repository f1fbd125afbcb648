package io.bitloom.worker.verify;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.JsonNumber;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.cpu.Machine;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bitloom verify}: compares our numbers with a folder of fixtures. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description =
        "Runs Bitloom's code on numerical fixtures and on random tokenizers and prints, for every"
            + " case, the largest error against its tolerance.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:Everything holds.",
      "1:A value is out of tolerance, or a file, case or tensor is not known.",
      "2:The command line is wrong."
    })
public final class VerifyCommand implements Callable<Integer> {
  @Option(
      names = "--fixtures",
      paramLabel = "DIR",
      description =
          "A folder of fixture files; without it, only the random tokenizers are checked, which need"
              + " none.")
  private Path fixtures;

  /** Types that the models can compute in. */
  enum Precision {
    FP32,
    BF16
  }

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "FP32",
      description =
          "fp32 (default), or bf16: counts the bits of pictures and of greedy generation that are"
              + " equal to the float32 ones, and compares nothing else.")
  private Precision dtype;

  @Option(
      names = "--only",
      paramLabel = "NAME",
      split = ",",
      description =
          "Check only these files, by their names; * stands for any text. Random tokenizers, which"
              + " have no file, are \""
              + RandomTokenizersCheck.NAME
              + "\".")
  private List<String> only = List.of();

  @Option(names = "--json", description = "Print one JSON document instead of lines.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    checkFixtures();
    only.forEach(this::requireAny);
    PrintWriter out = spec.commandLine().getOut();
    Suite suite = suite();
    boolean holds = json ? printJson(suite, out) : printLines(suite, out);
    out.flush();
    return holds ? 0 : 1;
  }

  private void requireAny(String glob) {
    boolean none =
        fixtures != null
            && !matches(glob, RandomTokenizersCheck.NAME)
            && FixtureSuite.exact(fixtures).only(name -> matches(glob, name)).isEmpty();
    if (none) {
      throw new ParameterException(
          spec.commandLine(), "--only: there is no fixture \"" + glob + "\" in " + fixtures);
    }
  }

  private void checkFixtures() {
    if (fixtures != null && !Files.isDirectory(fixtures)) {
      throw new ParameterException(
          spec.commandLine(), "--fixtures: \"" + fixtures + "\" is not a folder");
    }
    if (fixtures == null && dtype == Precision.BF16) {
      throw new ParameterException(
          spec.commandLine(),
          "--dtype bf16 needs --fixtures: it counts the bits of what they hold");
    }
    if (fixtures == null && !wanted(RandomTokenizersCheck.NAME)) {
      throw new ParameterException(
          spec.commandLine(), "--only " + String.join(",", only) + " needs --fixtures");
    }
  }

  /** Hands every case to a sink and says whether all hold. */
  private interface Suite {
    boolean run(Consumer<CaseReport> sink);
  }

  private Suite suite() {
    if (dtype == Precision.BF16) {
      return FixtureSuite.agreement(fixtures, DType.BF16).only(this::wanted)::run;
    }
    RandomTokenizersCheck tokenizers = new RandomTokenizersCheck(1);
    if (fixtures == null) {
      return tokenizers::run;
    }
    FixtureSuite files = FixtureSuite.exact(fixtures).only(this::wanted);
    if (!wanted(RandomTokenizersCheck.NAME)) {
      return files::run;
    }
    boolean nothingElse = only.equals(List.of(RandomTokenizersCheck.NAME));
    return sink -> (nothingElse || files.run(sink)) & tokenizers.run(sink);
  }

  private boolean wanted(String name) {
    return only.isEmpty() || only.stream().anyMatch(glob -> matches(glob, name));
  }

  private static boolean matches(String glob, String name) {
    return name.matches(Pattern.quote(glob).replace("*", "\\E.*\\Q"));
  }

  private boolean printLines(Suite suite, PrintWriter out) {
    int[] count = new int[2];
    boolean holds =
        suite.run(
            report -> {
              count[report.holds() ? 0 : 1]++;
              lines(report).forEach(out::println);
              out.flush();
            });
    out.printf(Locale.ROOT, "%d cases hold, %d do not%n", count[0], count[1]);
    if (fixtures == null) {
      out.println("without --fixtures, nothing was compared with the official implementation");
    }
    return holds;
  }

  /** A line for the case, and one for each quantity that does not hold. */
  static List<String> lines(CaseReport report) {
    List<String> lines = new ArrayList<>();
    String place = String.format(Locale.ROOT, "%-38s %-24s", report.file(), report.name());
    String worst =
        report
            .worst()
            .map(
                it ->
                    summary(it)
                        + String.format(
                            Locale.ROOT, " (%d compared)", report.measurements().size()))
            .orElse("");
    lines.add(((report.holds() ? "ok    " : "FAIL  ") + place + " " + worst).stripTrailing());
    report.agreements().forEach(it -> lines.add("      " + place + " " + describe(it)));
    report.measurements().stream()
        .filter(it -> !it.holds())
        .forEach(it -> lines.add("      " + place + " " + describe(it)));
    report.faults().forEach(it -> lines.add("      " + place + " " + it));
    report.notChecked().forEach(it -> lines.add("      " + place + " not checked yet: " + it));
    return lines;
  }

  private static String summary(Measurement worst) {
    return worst.error() == 0 ? "exact" : "largest " + describe(worst);
  }

  private static String describe(Agreement it) {
    return String.format(
        Locale.ROOT,
        "%s: %d of %d are equal, %.2f %%",
        it.quantity(),
        it.equal(),
        it.all(),
        100 * it.fraction());
  }

  private static String describe(Measurement it) {
    return it.tolerance() == 0
        ? String.format(Locale.ROOT, "%s: %.0f differ, tolerance exact", it.quantity(), it.error())
        : String.format(
            Locale.ROOT,
            "%s: error %.2g, tolerance %.2g",
            it.quantity(),
            it.error(),
            it.tolerance());
  }

  private boolean printJson(Suite suite, PrintWriter out) {
    JsonArray cases = new JsonArray();
    boolean holds = suite.run(report -> cases.add(json(report)));
    JsonObject document = new JsonObject();
    document.addProperty("event", "verified");
    document.addProperty("fixtures", fixtures == null ? null : fixtures.toString());
    document.addProperty("holds", holds);
    document.add("cases", cases);
    Gson gson =
        new GsonBuilder()
            .serializeSpecialFloatingPointValues()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .create();
    document.add("machine", gson.toJsonTree(Machine.of(LibTorch.threads())));
    out.println(gson.toJson(document));
    return holds;
  }

  private static JsonObject json(CaseReport report) {
    JsonObject entry = new JsonObject();
    entry.addProperty("file", report.file());
    entry.addProperty("case", report.name());
    entry.addProperty("holds", report.holds());
    JsonArray measurements = new JsonArray();
    for (Measurement measurement : report.measurements()) {
      JsonObject item = new JsonObject();
      item.addProperty("quantity", measurement.quantity());
      item.add("error", JsonNumber.of(measurement.error()));
      item.add("tolerance", JsonNumber.of(measurement.tolerance()));
      measurements.add(item);
    }
    entry.add("measurements", measurements);
    JsonArray agreements = new JsonArray();
    for (Agreement agreement : report.agreements()) {
      JsonObject item = new JsonObject();
      item.addProperty("quantity", agreement.quantity());
      item.addProperty("equal", agreement.equal());
      item.addProperty("all", agreement.all());
      agreements.add(item);
    }
    entry.add("agreements", agreements);
    Gson gson = new Gson();
    entry.add("faults", gson.toJsonTree(report.faults()));
    entry.add("not_checked", gson.toJsonTree(report.notChecked()));
    return entry;
  }
}
