package io.bitloom.loadtests.autoscale;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.common.cli.Range;
import io.bitloom.coordinator.pools.PoolTarget;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ./bitloom bench autoscale}: the coordinator's policy, played against days of arrivals. */
@Command(
    name = "autoscale",
    description =
        "Plays days of arrivals against autoscaling, in simulated time: what it costs, how long work"
            + " waits, how often nodes start.",
    mixinStandardHelpOptions = true)
public final class AutoscaleBench implements Callable<Integer> {

  private static final Duration EMPTY_IN = PoolTarget.EMPTY_IN;
  private static final int MINUTE = 60;
  private static final double MOST_PRICE = 1e6;

  @Spec private CommandSpec spec;

  @Option(names = "--seed", description = "Of the first day (default: ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Option(names = "--days", description = "Of each pattern (default: ${DEFAULT-VALUE}).")
  @Range(min = 1, max = 1000)
  private int days = 1;

  @Option(
      names = "--polling",
      paramLabel = "SECONDS",
      description = "KEDA's pollingInterval (default: ${DEFAULT-VALUE}).")
  @Range(min = 5, max = 3600)
  private int polling = 30;

  @Option(
      names = "--price",
      paramLabel = "MONEY",
      description = "Of an hour of a GPU (default: ${DEFAULT-VALUE}).")
  private double price = 1;

  @Option(names = "--json", description = "Prints one JSON object a line, for programs.")
  private boolean json;

  @Override
  public Integer call() {
    if (!(price >= 0 && price <= MOST_PRICE)) {
      throw new ParameterException(
          spec.commandLine(), "--price must be 0 to 1000000, not " + price);
    }
    PrintWriter out = spec.commandLine().getOut();
    if (!json) {
      out.println(
          "| Arrivals | | Cost | to the cheapest | drawn after, p50 | p99 | most | in 30 min |"
              + " starts | stops |");
      out.println("|---|---|" + "---:|".repeat(8));
    }
    double start = Nodes.meanStartSeconds();
    for (Day.Pattern pattern : Day.Pattern.values()) {
      for (long day = seed; day < seed + days; day++) {
        play(pattern.day(day), day, start, out);
      }
    }
    out.flush();
    return 0;
  }

  private void play(Day day, long daySeed, double startSeconds, PrintWriter out) {
    double cheapest = CheapestSchedule.gpuHours(day, (int) EMPTY_IN.toMinutes(), startSeconds);
    if (!json) {
      out.printf(
          Locale.ROOT,
          "| %s | the cheapest | %.1f | 1 | | | | | | |%n",
          day.name(),
          price * cheapest);
    }
    for (Contender contender :
        List.of(Contender.DEFAULTS, Contender.PROPORTIONAL, Contender.LONG_HOLD)) {
      DayRun.Outcome outcome = DayRun.play(day, contender, EMPTY_IN, polling, daySeed);
      if (json) {
        out.println(object(day, daySeed, contender, outcome, cheapest));
      } else {
        out.println(row(contender, outcome, cheapest));
      }
    }
  }

  private String row(Contender contender, DayRun.Outcome outcome, double cheapest) {
    return String.format(
        Locale.ROOT,
        "| | %s | %.1f | %.3f | %.1f min | %.1f min | %.1f min | %.1f %% | %d | %d |",
        contender.name(),
        price * outcome.gpuHours(),
        outcome.gpuHours() / cheapest,
        outcome.p50() / MINUTE,
        outcome.p99() / MINUTE,
        outcome.most() / MINUTE,
        100 * outcome.inTime(),
        outcome.starts(),
        outcome.stops());
  }

  private JsonObject object(
      Day day, long daySeed, Contender contender, DayRun.Outcome outcome, double cheapest) {
    JsonObject object = new JsonObject();
    object.addProperty("arrivals", day.name());
    object.addProperty("seed", daySeed);
    object.addProperty("scaler", contender.name());
    object.addProperty("work_gpu_hours", outcome.drawnHours());
    object.addProperty("gpu_hours", outcome.gpuHours());
    object.addProperty("cost", price * outcome.gpuHours());
    object.addProperty("cheapest_gpu_hours", cheapest);
    JsonArray delays = new JsonArray();
    List.of(outcome.p50(), outcome.p99(), outcome.most()).forEach(delays::add);
    object.add("delay_seconds_p50_p99_most", delays);
    object.addProperty("in_time", outcome.inTime());
    object.addProperty("starts", outcome.starts());
    object.addProperty("stops", outcome.stops());
    return object;
  }
}
