package io.bitloom.loadtests.gpu;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.engine.modeldir.ModelDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The same operators at the same shapes by the torch of the machine's Python, where there is one:
 * whether a time is the card's or ours.
 */
final class TorchYardstick {
  private static final String SECTION = "Operators, by the torch of Python";
  private static final String VERSION =
      "import torch; print(torch.__version__, 'CUDA', torch.version.cuda)";

  private final Sitting sitting;
  private final Path script;
  private final List<Operator> operators;
  private final List<JsonObject> answers = new ArrayList<>(); // empty until all are measured

  private TorchYardstick(Sitting sitting, Path script, List<Operator> operators) {
    this.sitting = sitting;
    this.script = script;
    this.operators = operators;
  }

  /**
   * Measures them.
   *
   * @param script {@code yardstick.py}
   */
  static void run(Sitting sitting, Path script) throws IOException {
    Sitting.Plan plan = sitting.plan();
    JsonObject version =
        sitting.measure(
            SECTION,
            new Row().with("operator", "(version of torch)").json(),
            () -> new Row().with("name", version(plan.python())).json());
    if (!SittingJournal.isFailed(version)) {
      ModelDirectory directory = sitting.directory(plan.models().get(0));
      new TorchYardstick(sitting, script, ShareStep.alone(directory, plan.sizes().get(0))).rows();
    }
  }

  private static String version(String python) throws IOException, InterruptedException {
    return OtherProgram.run(List.of(python, "-c", VERSION), "");
  }

  private void rows() throws IOException {
    for (int i = 0; i < operators.size(); i++) {
      int number = i;
      sitting.measure(SECTION, identity(operators.get(i)), () -> figures(number));
    }
  }

  private JsonObject identity(Operator operator) {
    JsonObject identity = operator.json();
    identity.addProperty("type", sitting.plan().dtypes().get(0).toString());
    return identity;
  }

  private JsonObject figures(int number) throws IOException, InterruptedException {
    if (answers.isEmpty()) {
      measureAll();
    }
    JsonObject answer = answers.get(number);
    if (SittingJournal.isFailed(answer)) {
      return answer;
    }
    double seconds = answer.get("seconds").getAsDouble();
    Row row = new Row().with("s", seconds);
    double flop = operators.get(number).flop();
    if (flop > 0) {
      row.with("TFLOP/s", flop / seconds / 1e12);
    }
    return row.json();
  }

  /** All in one process, because a start of torch takes some seconds. */
  private void measureAll() throws IOException, InterruptedException {
    sitting.unload();
    Sitting.Plan plan = sitting.plan();
    String shapes =
        operators.stream()
            .map(operator -> identity(operator).toString())
            .collect(Collectors.joining("\n"));
    String said =
        OtherProgram.run(
            List.of(plan.python(), script.toString(), plan.device().toString()), shapes);
    said.lines().map(line -> JsonParser.parseString(line).getAsJsonObject()).forEach(answers::add);
  }
}
