package io.bitloom.worker.cli;

import com.google.gson.JsonObject;
import io.bitloom.common.cli.Range;
import io.bitloom.engine.codes.BinarySphericalQuantizer;
import io.bitloom.engine.codes.EntropyMemory;
import io.bitloom.engine.codes.LookupFreeQuantizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code bitloom quantizers}: measures the memory of the entropy penalties against d. */
@Command(
    name = "quantizers",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Measures how the memory of BSQ's and LFQ's entropy penalty grows with the bits.")
public final class QuantizersCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "1024",
      description = "Tokens of the batch (default: 1024).")
  @Range(min = 1, max = 1 << 20)
  private int tokens;

  @Option(
      names = "--bits",
      paramLabel = "D",
      split = ",",
      defaultValue = "8,10,12,14,16",
      description = "Bits of a token (default: 8,10,12,14,16).")
  @Range(min = 1, max = 24)
  private List<Integer> bits;

  @Option(names = "--json", description = "Print one JSON object a row instead of a table.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (!json) {
      out.println("| d | codes | BSQ, MiB | LFQ, MiB |\n|---|---|---|---|");
    }
    for (int d : bits) {
      long binary = EntropyMemory.bytes(new BinarySphericalQuantizer(d, 1), d, tokens);
      long exact = EntropyMemory.bytes(new LookupFreeQuantizer(d, 1), d, tokens);
      print(out, d, binary, exact);
      out.flush();
    }
    return CommandLine.ExitCode.OK;
  }

  private void print(PrintWriter out, int d, long binary, long exact) {
    if (json) {
      JsonObject event = new JsonObject();
      event.addProperty("event", "entropy_memory");
      event.addProperty("bits", d);
      event.addProperty("codes", 1L << d);
      event.addProperty("bsq_bytes", binary);
      event.addProperty("lfq_bytes", exact);
      out.println(event);
    } else {
      out.printf(
          Locale.ROOT,
          "| %d | %d | %.1f | %.1f |%n",
          d,
          1L << d,
          binary / 1048576.0,
          exact / 1048576.0);
    }
  }
}
