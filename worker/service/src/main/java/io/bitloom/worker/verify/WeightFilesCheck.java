package io.bitloom.worker.verify;

import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Checks weight files: {@code <name>_transformer.*} and {@code <name>_vae.*}. Each must load, a
 * rule's own examples must hold, names and shapes are those of its settings, and a {@code .pth}
 * file holds the same keys and bit-identical values as the safetensors file of the same name.
 */
final class WeightFilesCheck {
  private static final Pattern NAME =
      Pattern.compile("(.+_(?:transformer|vae))\\.(safetensors|pth|rule\\.json)");

  private WeightFilesCheck() {}

  static boolean isWeightFile(String name) {
    return NAME.matcher(name).matches();
  }

  static void check(Path file, FileReport report) {
    Matcher matcher = NAME.matcher(file.getFileName().toString());
    if (!matcher.matches()) {
      throw new IllegalArgumentException(file + " is no weight file");
    }
    Path twin = file.resolveSibling(matcher.group(1) + ".safetensors");
    report.testCase(
        "(weights)",
        found -> {
          try (Weights weights = Checkpoints.open(file)) {
            found.measure("values that are not finite", notFinite(weights), 0);
            checkArchitecture(found, file, matcher.group(1), weights);
            if (matcher.group(2).equals("pth") && Files.exists(twin)) {
              compare(found, weights, twin);
            }
          }
        });
  }

  /** Asks for exactly the tensors that the settings call for: none missing, none left over. */
  private static void checkArchitecture(
      CaseReport found, Path file, String model, Weights weights) {
    Optional<JsonObject> config =
        Stream.of(
                file,
                file.resolveSibling(model + ".safetensors"),
                file.resolveSibling(model + ".rule.json"))
            .filter(Files::exists)
            .flatMap(candidate -> Checkpoints.config(candidate).stream())
            .findFirst();
    if (config.isEmpty()) {
      found.notChecked("names and shapes, for no file of this model has its settings");
    } else if (model.endsWith("_vae")) {
      try (VisualTokenizer tokenizer =
          new VisualTokenizer(TokenizerConfig.of(config.get()), weights)) {
        tokenizer.unexpected().forEach(name -> found.fault(name + " is unexpected"));
      }
    } else {
      InfinityLayout.check(
          Models.config(new Fixture.ModelWeights(file, weights, config.get())), weights);
    }
  }

  private static double notFinite(Weights weights) {
    double count = 0;
    for (String name : weights.names()) {
      try (Scope scope = Scope.open()) {
        count += weights.get(name).isfinite().logical_not().sum().item().toDouble();
      }
    }
    return count;
  }

  private static void compare(CaseReport found, Weights weights, Path twin) {
    try (Weights expected = Checkpoints.open(twin)) {
      Set<String> names = new TreeSet<>(weights.names());
      names.addAll(expected.names());
      for (String name : names) {
        if (!weights.has(name) || !expected.has(name)) {
          found.fault(name + " is in one of " + twin.getFileName() + " and this file only");
        } else if (Tensors.dtype(weights.get(name)) != Tensors.dtype(expected.get(name))) {
          found.fault(name + " has another element type in " + twin.getFileName());
        } else {
          found.equal(name, weights.get(name), expected.get(name));
        }
      }
    }
  }
}
