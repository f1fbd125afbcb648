package io.bitloom.worker.cli;

import io.bitloom.common.cli.OptionRule;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.file.FileFaults;
import io.bitloom.worker.rewrite.PromptRewriterConfig;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The options that say which language model rewrites prompts; none does by default. */
@OptionRule(
    options = {"--prompt-rewriter-model", "--prompt-rewriter-timeout", "--prompt-rewriter-system"},
    onlyWith = "--prompt-rewriter")
final class RewriterOptions {
  private static final String KEY = "BITLOOM_PROMPT_REWRITER_KEY";

  @Spec(Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--prompt-rewriter",
      paramLabel = "URL",
      defaultValue = "${env:BITLOOM_PROMPT_REWRITER:-}",
      description =
          "Let a language model rewrite every prompt: URL of an OpenAI-compatible chat completions"
              + " endpoint (default: none). The environment's "
              + KEY
              + " is its API key.")
  private String endpoint;

  @Option(
      names = "--prompt-rewriter-model",
      paramLabel = "NAME",
      defaultValue = "${env:BITLOOM_PROMPT_REWRITER_MODEL:-}",
      description = "The language model, as the endpoint calls it.")
  private String model;

  @Option(
      names = "--prompt-rewriter-timeout",
      paramLabel = "TIME",
      defaultValue = "${env:BITLOOM_PROMPT_REWRITER_TIMEOUT:-20s}",
      description = "After this a prompt is drawn as it is (default: 20s).")
  private String timeout;

  @Option(
      names = "--prompt-rewriter-system",
      paramLabel = "FILE",
      description = "What the language model is told to do (default: a text of Bitloom's).")
  private Path system;

  /** The rewriter's settings, if there shall be one; what is wrong with them is wrong usage. */
  Optional<PromptRewriterConfig> config() {
    if (endpoint.isBlank()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new PromptRewriterConfig(
              new URI(endpoint),
              model,
              system == null
                  ? PromptRewriterConfig.defaultSystemPrompt()
                  : Files.readString(system),
              Settings.duration("prompt-rewriter-timeout", timeout),
              Optional.ofNullable(System.getenv(KEY)).filter(key -> !key.isBlank())));
    } catch (ConfigException e) {
      throw usage("--" + e.getMessage());
    } catch (URISyntaxException e) {
      throw usage("--prompt-rewriter is no URL: " + e.getReason());
    } catch (IOException e) {
      throw usage("--prompt-rewriter-system cannot be read: " + FileFaults.message(e));
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
