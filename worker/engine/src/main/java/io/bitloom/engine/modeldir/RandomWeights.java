package io.bitloom.engine.modeldir;

import com.google.gson.JsonElement;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.RuleTensor;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Weights that nobody has trained: random numbers from a seed, the same on every machine, spread as
 * a list of rules says.
 *
 * <pre>{@code
 * {"seed": 7, "rules": [{"tensors": "*.bias", "scale": 0.05}, {"tensors": "*", "gain": 1.0}]}
 * }</pre>
 *
 * The first rule whose {@code tensors} fits a name ({@code *} stands for any text) decides: values
 * are uniform in {@code offset ± scale}. A {@code gain} instead of a scale gives the layer's output
 * the standard deviation gain for inputs of standard deviation 1: scale = gain · √(3 / fan-in).
 */
record RandomWeights(long seed, List<Rule> rules) {

  /** How the values of some tensors are spread. */
  private record Rule(Pattern names, double offset, double spread, boolean gain) {

    static Rule parse(JsonFields json) {
      json.onlyMembers("tensors", "offset", "scale", "gain");
      boolean gain = json.has("gain");
      String glob = json.text("tensors");
      String regex = Pattern.quote(glob).replace("*", "\\E.*\\Q");
      double offset = json.has("offset") ? json.number("offset") : 0;
      return new Rule(Pattern.compile(regex), offset, json.number(gain ? "gain" : "scale"), gain);
    }

    RuleTensor tensor(String name, long[] shape) {
      long fanIn = Arrays.stream(shape).skip(1).reduce(1, Math::multiplyExact);
      return new RuleTensor(name, shape, offset, gain ? spread * Math.sqrt(3.0 / fanIn) : spread);
    }
  }

  RandomWeights {
    rules = List.copyOf(rules);
  }

  /**
   * Reads seed and rules.
   *
   * @throws WeightsException naming the member at fault
   */
  static RandomWeights parse(String source, JsonFields json) {
    json.onlyMembers("seed", "rules");
    List<Rule> rules = new ArrayList<>();
    for (JsonElement rule : json.elements("rules")) {
      if (!rule.isJsonObject()) {
        throw new WeightsException(source, "rules: expected objects, found " + rule);
      }
      rules.add(Rule.parse(JsonFields.of(source + ": rules", rule.getAsJsonObject())));
    }
    return new RandomWeights(json.longInteger("seed"), rules);
  }

  /**
   * Makes the tensors of a layout.
   *
   * @param source names the model in messages
   * @param shapes shape of every tensor by name
   * @throws WeightsException if no rule fits a name
   */
  Weights generate(String source, Map<String, long[]> shapes) {
    Weights weights = new Weights(source);
    shapes.forEach(
        (name, shape) -> {
          Rule rule =
              rules.stream()
                  .filter(candidate -> candidate.names.matcher(name).matches())
                  .findFirst()
                  .orElseThrow(() -> new WeightsException(source, name, "has no random rule"));
          try (Scope scope = Scope.open()) {
            weights.put(name, rule.tensor(name, shape).generate(seed));
          }
        });
    return weights;
  }
}
