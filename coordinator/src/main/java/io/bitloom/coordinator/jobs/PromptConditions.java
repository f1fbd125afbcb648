package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.json.EnumNames;
import io.bitloom.coordinator.jobs.Conditions.Condition;
import io.bitloom.v1.ListPromptsRequest;
import io.bitloom.v1.PromptState;
import io.bitloom.v1.PromptStatus;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/**
 * Which prompts of a job to list.
 *
 * @param states in which they can be; what is in another one need not be looked at
 * @param also what must hold besides
 */
record PromptConditions(Set<PromptState> states, Predicate<PromptStatus> also) {

  private static final int MAX_IDS = 1000;

  /** Every state in which a prompt can be. */
  static final Set<PromptState> ALL =
      Collections.unmodifiableSet(
          EnumSet.range(PromptState.PROMPT_STATE_QUEUED, PromptState.PROMPT_STATE_EXPIRED));

  boolean match(PromptStatus prompt) {
    return states.contains(prompt.getState()) && also.test(prompt);
  }

  /**
   * What a request asks for.
   *
   * @throws BitloomException {@code INVALID_FIELD} with what is wrong
   */
  static PromptConditions of(ListPromptsRequest request) {
    Set<PromptState> states = states(request);
    List<Predicate<PromptStatus>> conditions = new ArrayList<>();
    if (request.getCustomIdsCount() > MAX_IDS) {
      throw BitloomException.invalid(
          "custom_ids", request.getCustomIdsCount() + " ids", "must be at most " + MAX_IDS);
    } else if (request.getCustomIdsCount() > 0) {
      Set<String> ids = Set.copyOf(request.getCustomIdsList());
      conditions.add(prompt -> ids.contains(prompt.getCustomId()));
    }
    for (Condition c : Conditions.parse(request.getFilter(), "state = FAILED")) {
      if (!c.key().isEmpty()) {
        throw c.bad("must not have ." + c.key() + " behind " + c.field());
      }
      switch (c.field()) {
        case "state" -> states.removeIf(state(c).negate());
        case "reason" -> conditions.add(c.text(prompt -> prompt.getFailure().getReason()));
        case "custom_id" -> conditions.add(c.text(PromptStatus::getCustomId));
        case "offset" -> conditions.add(offset(c));
        default ->
            throw c.bad("must name state, reason, custom_id or offset, and has " + c.field());
      }
    }
    return new PromptConditions(
        states, prompt -> conditions.stream().allMatch(condition -> condition.test(prompt)));
  }

  private static Set<PromptState> states(ListPromptsRequest request) {
    Set<PromptState> states = EnumSet.noneOf(PromptState.class);
    for (int i = 0; i < request.getStatesCount(); i++) {
      if (!ALL.contains(request.getStates(i))) {
        throw BitloomException.invalid(
            "states[" + i + "]", request.getStatesValue(i), "must be a state of a prompt");
      }
      states.add(request.getStates(i));
    }
    return states.isEmpty() ? EnumSet.copyOf(ALL) : states;
  }

  private static Predicate<PromptState> state(Condition c) {
    PromptState wanted =
        EnumNames.find(PromptState.class, c.value())
            .orElseThrow(
                () -> c.bad("must have a state of a prompt such as FAILED, and has " + c.value()));
    return c.equality(state -> state == wanted);
  }

  private static Predicate<PromptStatus> offset(Condition c) {
    long offset;
    try {
      offset = Long.parseLong(c.value());
    } catch (NumberFormatException e) {
      throw c.bad("must compare offset with a whole number, and has " + c.value());
    }
    IntPredicate order = c.order();
    return prompt -> order.test(Long.compare(prompt.getOffset(), offset));
  }
}
