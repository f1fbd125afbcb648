package io.bitloom.worker.verify;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.training.optim.AdamW;
import io.bitloom.training.optim.Gradients;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Compares a case's gradients after the backward pass, and the weights after one step of AdamW. */
final class OptimizerStepCheck {
  private static final String NORMS = "grad_norms";
  private static final String GRADIENT = "grad/";
  private static final String STEPPED = "after_adamw/";

  private static final double NORM_TOLERANCE = 1e-4;
  private static final double GRADIENT_TOLERANCE = 1e-4;
  private static final double STEP_TOLERANCE = 1e-5;

  /** The first step of Adam is close to a sign, so smaller gradients decide by rounding. */
  private static final double LEAST_GRADIENT = 1e-5;

  private static final double CLIP = 5;
  private static final double LEARNING_RATE = 1e-3;
  private static final AdamW.Settings ADAMW = new AdamW.Settings(0.9, 0.97, 1e-8, 0.05);

  private final Fixture fixture;
  private final String testCase;
  private final Weights weights;
  private final Weights expected;
  private final Gradients gradients;
  private final CaseReport found;

  /** The check of a model whose weights have gradients. */
  OptimizerStepCheck(Fixture fixture, String testCase, Weights weights, CaseReport found) {
    this.fixture = fixture;
    this.testCase = testCase;
    this.weights = weights;
    this.expected = fixture.tensors(testCase);
    this.gradients = new Gradients(weights);
    this.found = found;
  }

  void check() {
    compareNorms(gradients.norms());
    named(GRADIENT).forEach(this::compareGradient);
    List<String> stepped = named(STEPPED);
    if (!stepped.isEmpty()) {
      gradients.clip(CLIP);
      try (AdamW optimizer = new AdamW(weights, ADAMW)) {
        optimizer.step(LEARNING_RATE);
      }
      stepped.forEach(this::compareStep);
    }
  }

  /** The parameters that the case has a tensor of a kind of; unknown ones are faults. */
  private List<String> named(String kind) {
    return expected.at(kind).names().stream().filter(name -> isParameter(kind, name)).toList();
  }

  private boolean isParameter(String kind, String name) {
    if (!gradients.names().contains(name)) {
      expected.get(kind + name);
      found.fault(kind + name + ": the model has no parameter " + name);
      return false;
    }
    return true;
  }

  private void compareNorms(Map<String, Double> norms) {
    if (!expected.has(NORMS)) {
      found.fault(NORMS + " is missing");
      return;
    }
    List<String> names = normNames();
    double[] values = Tensors.doubles(expected.get(NORMS));
    Set<String> unnamed = new LinkedHashSet<>(norms.keySet());
    names.forEach(unnamed::remove);
    found.equal("parameters without a gradient norm", unnamed, Set.of());
    found.equal("number of gradient norms", values.length, names.size());
    double worst = 0;
    for (int i = 0; i < Math.min(values.length, names.size()); i++) {
      Double norm = norms.get(names.get(i));
      if (norm == null) {
        found.fault(NORMS + ": the model has no parameter " + names.get(i));
      } else {
        worst = larger(worst, relativeError(norm, values[i]));
      }
    }
    found.measure(NORMS, worst, fixture.tolerance("grad_norms_rel", NORM_TOLERANCE));
    double global = Tensors.doubles(expected.get("grad_norm_global", 1))[0];
    found.measure(
        "grad_norm_global",
        relativeError(Gradients.globalNorm(norms), global),
        fixture.tolerance("grad_norm_global_rel", NORM_TOLERANCE));
  }

  private List<String> normNames() {
    String entry = testCase + "/grad_norm_names";
    try {
      JsonArray names = JsonParser.parseString(fixture.text(entry)).getAsJsonArray();
      return names.asList().stream().map(JsonElement::getAsString).toList();
    } catch (JsonParseException | IllegalStateException e) {
      throw new IllegalArgumentException(entry + ": expected a list of names", e);
    }
  }

  private void compareGradient(String name) {
    try (Scope scope = Scope.open()) {
      Tensor reference = expected.get(GRADIENT + name);
      double largest = reference.abs().max().item_double();
      found.close(
          GRADIENT + name,
          gradients.of(name),
          reference,
          fixture.tolerance("grads_rel_of_largest", GRADIENT_TOLERANCE) * largest);
    }
  }

  /** Entries with a clear gradient must agree; those without any must not have been moved by it. */
  private void compareStep(String name) {
    try (Scope scope = Scope.open()) {
      Tensor gradient = gradients.of(name);
      Tensor compared =
          gradient
              .abs()
              .gt(new Scalar(LEAST_GRADIENT))
              .logical_or(gradient.eq(new Scalar(0.0))); // entries to look at
      Tensor reference =
          Tensors.to(expected.get(STEPPED + name, weights.get(name).shape()), DType.F32);
      Tensor after = weights.get(name).detach();
      found.close(STEPPED + name, after.where(compared, reference), reference, STEP_TOLERANCE);
    }
  }

  private static double relativeError(double computed, double reference) {
    return reference == 0 ? Math.abs(computed) : Math.abs(computed - reference) / reference;
  }

  /** The larger one, and NaN if one of them is. */
  private static double larger(double a, double b) {
    return Double.isNaN(a) || Double.isNaN(b) ? Double.NaN : Math.max(a, b);
  }
}
