package io.bitloom.training.run;

import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.JsonFields;

/**
 * Where a run stands, apart from its tensors. Data position and random draws follow from the step.
 *
 * @param identity settings that a resumed run must share; see {@link TrainingLoop}
 * @param step batches taken so far
 * @param optimizerSteps steps of the optimizer so far
 * @param skipped steps that were not applied
 * @param badInARow those of them at the very end
 * @param samples pictures trained on so far
 * @param bestLoss least validation loss so far; infinite before the first
 * @param bestStep when that was
 */
record RunState(
    String identity,
    long step,
    long optimizerSteps,
    long skipped,
    int badInARow,
    long samples,
    double bestLoss,
    long bestStep) {
  private static final int FORMAT = 1;

  static RunState start(String identity) {
    return new RunState(identity, 0, 0, 0, 0, 0, Double.POSITIVE_INFINITY, -1);
  }

  /** After one more step. */
  RunState after(StepReport report, long optimizerSteps) {
    return new RunState(
        identity,
        step + 1,
        optimizerSteps,
        skipped + (report.applied() ? 0 : 1),
        report.applied() ? 0 : badInARow + 1,
        samples + report.samples(),
        bestLoss,
        bestStep);
  }

  /** With the validation loss of this step. */
  RunState validated(double loss) {
    return loss < bestLoss
        ? new RunState(identity, step, optimizerSteps, skipped, badInARow, samples, loss, step)
        : this;
  }

  /** The same place of a run whose settings are written in another way. */
  RunState under(String identity) {
    return new RunState(
        identity, step, optimizerSteps, skipped, badInARow, samples, bestLoss, bestStep);
  }

  JsonObject json() {
    JsonObject json = new JsonObject();
    json.addProperty("format", FORMAT);
    json.addProperty("identity", identity);
    json.addProperty("step", step);
    json.addProperty("optimizer_steps", optimizerSteps);
    json.addProperty("skipped", skipped);
    json.addProperty("bad_in_a_row", badInARow);
    json.addProperty("samples", samples);
    json.addProperty("best_step", bestStep);
    if (bestStep >= 0) {
      json.addProperty("best_loss", bestLoss);
    }
    return json;
  }

  static RunState of(JsonFields json) {
    long bestStep = json.longInteger("best_step");
    return new RunState(
        json.text("identity"),
        json.longInteger("step"),
        json.longInteger("optimizer_steps"),
        json.longInteger("skipped"),
        json.integer("bad_in_a_row"),
        json.longInteger("samples"),
        bestStep < 0 ? Double.POSITIVE_INFINITY : json.number("best_loss"),
        bestStep);
  }
}
