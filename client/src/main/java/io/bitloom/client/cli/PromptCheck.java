package io.bitloom.client.cli;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import java.util.Arrays;
import java.util.List;

/**
 * The coordinator's rules for prompts, applied before anything is sent.
 *
 * @param defaults the job's defaults
 * @param model the model that will draw; without one, sizes are checked by name only
 * @param rules with the coordinator's limits
 */
record PromptCheck(Prompt defaults, Model model, PromptRules rules) {
  private static final List<String> ALL_SIZES =
      Arrays.stream(SizeClass.values()).map(SizeClass::label).toList();

  /** Checks without a coordinator. */
  static PromptCheck offline(Prompt defaults) {
    return new PromptCheck(defaults, Model.getDefaultInstance(), PromptRules.defaults());
  }

  /** All that is wrong with a prompt. */
  List<FieldViolation> violations(Prompt prompt) {
    List<FieldViolation> violations = rules.check(prompt);
    return violations.isEmpty() && sizeIsKnown(prompt)
        ? PromptRules.check(resolved(prompt), model.getName(), sizes(), model.getBlocks())
        : violations;
  }

  /** Images that a good prompt asks for. */
  int images(Prompt prompt) {
    return resolved(prompt).prompt().getNumImages();
  }

  /** What a good prompt is drawn as: {@code 3:2 0.25M}, without a size that the model chooses. */
  String schedule(Prompt prompt) {
    ScaleSchedule schedule = resolved(prompt).schedule();
    return sizeIsKnown(prompt) ? schedule.toString() : schedule.shape();
  }

  private boolean sizeIsKnown(Prompt prompt) {
    return model.getSizesCount() > 0
        || !prompt.getSize().isEmpty()
        || !defaults.getSize().isEmpty();
  }

  private List<String> sizes() {
    return model.getSizesCount() > 0 ? model.getSizesList() : ALL_SIZES;
  }

  private PromptRules.Resolved resolved(Prompt prompt) {
    return PromptRules.resolve(prompt, defaults, model.getDefaults(), sizes(), "", 0);
  }
}
