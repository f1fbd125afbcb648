package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.json.EnumNames;
import io.bitloom.common.json.MessageJson;
import io.bitloom.v1.ListPromptsRequest;
import io.bitloom.v1.PromptState;
import io.bitloom.v1.PromptStatus;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

@Command(
    name = "prompts",
    description = {
      "List the prompts of a job and what they came to.",
      "Those without an outcome come first."
    })
final class PromptsCommand implements Callable<Integer> {

  private static final int SHOWN_CHARACTERS = 60;

  @Parameters(paramLabel = "JOB", converter = JobName.Converter.class, description = "The job.")
  private JobName job;

  @Option(
      names = "--state",
      paramLabel = "STATE",
      split = ",",
      converter = StateConverter.class,
      description = "Only these: queued, running, succeeded, failed, cancelled, expired.")
  private List<PromptState> states = List.of();

  @Option(names = "--id", paramLabel = "ID", description = "Only prompts with these custom_ids.")
  private List<String> ids = List.of();

  @Option(
      names = "--filter",
      paramLabel = "TEXT",
      description = "Conditions: \"reason = OUT_OF_MEMORY AND custom_id = fox-*\".")
  private String filter = "";

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "100",
      description = "Most prompts to list (default: ${DEFAULT-VALUE}).")
  private int limit;

  @Mixin private ConnectionOptions connection;
  @Mixin private OutputOptions output;

  /** Reads {@code failed}. */
  static final class StateConverter implements ITypeConverter<PromptState> {
    @Override
    public PromptState convert(String value) {
      return EnumNames.find(PromptState.class, value)
          .orElseThrow(
              () -> new TypeConversionException("\"" + value + "\" is not a state of a prompt"));
    }
  }

  @Override
  public Integer call() {
    Console console = output.console();
    ListPromptsRequest request =
        ListPromptsRequest.newBuilder()
            .setName(job.resource())
            .addAllStates(states)
            .addAllCustomIds(ids)
            .setFilter(filter)
            .build();
    try (BitloomClient client = connection.client()) {
      Iterator<PromptStatus> prompts = client.listPrompts(request);
      if (!prompts.hasNext()) {
        console.say("no such prompts");
      }
      for (int shown = 0; shown < limit && prompts.hasNext(); shown++) {
        show(console, prompts.next());
      }
      return ExitCode.DONE;
    }
  }

  private void show(Console console, PromptStatus prompt) {
    JsonObject event = new JsonObject();
    event.addProperty("event", "prompt");
    event.addProperty("job", job.resource());
    MessageJson.of(prompt).entrySet().forEach(field -> event.add(field.getKey(), field.getValue()));
    console.emit(event);
    console.say(
        String.format(
            Locale.ROOT,
            "%-24s  %-9s  %s",
            FieldViolation.shown(prompt.getCustomId()),
            EnumNames.of(prompt.getState()).toLowerCase(Locale.ROOT),
            prompt.hasFailure() ? why(prompt) : beginning(prompt.getPrompt().getPrompt())));
  }

  private static String why(PromptStatus prompt) {
    return prompt.getFailure().getReason()
        + ", "
        + FieldViolation.shown(prompt.getFailure().getMessage());
  }

  private static String beginning(String text) {
    String shown = FieldViolation.shown(text);
    return shown.codePointCount(0, shown.length()) <= SHOWN_CHARACTERS
        ? shown
        : shown.substring(0, shown.offsetByCodePoints(0, SHOWN_CHARACTERS)) + "…";
  }
}
