package io.bitloom.client.cli;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import java.util.List;

/**
 * The coordinator's rules for prompts, applied before anything is sent.
 *
 * @param defaults the job's defaults
 * @param model the model that will draw; without one, sizes are checked by name only
 */
record PromptCheck(Prompt defaults, Model model) {

  private static final PromptRules RULES = PromptRules.defaults();

  /** Checks without a coordinator. */
  static PromptCheck offline(Prompt defaults) {
    return new PromptCheck(defaults, Model.getDefaultInstance());
  }

  /** All that is wrong with a prompt. */
  List<FieldViolation> violations(Prompt prompt) {
    List<FieldViolation> violations = RULES.check(prompt);
    if (!violations.isEmpty() || model.getSizesCount() == 0) {
      return violations;
    }
    return PromptRules.checkModelSize(resolved(prompt).prompt().getSize(), model.getSizesList());
  }

  /** Images that a good prompt asks for. */
  int images(Prompt prompt) {
    return resolved(prompt).prompt().getNumImages();
  }

  /** The scale schedule of a good prompt; its template if the size is the model's choice. */
  String schedule(Prompt prompt) {
    boolean sizeIsKnown =
        model.getSizesCount() > 0 || !prompt.getSize().isEmpty() || !defaults.getSize().isEmpty();
    ScaleSchedule schedule = resolved(prompt).schedule();
    return sizeIsKnown ? schedule.id() : schedule.template();
  }

  private PromptRules.Resolved resolved(Prompt prompt) {
    List<String> sizes =
        model.getSizesCount() > 0 ? model.getSizesList() : List.of(SizeClass.PIXELS_1M.label());
    return PromptRules.resolve(prompt, defaults, model.getDefaults(), sizes, "", 0);
  }
}
