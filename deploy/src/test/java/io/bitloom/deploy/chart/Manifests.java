package io.bitloom.deploy.chart;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The objects that a rendering consists of, each read strictly. */
record Manifests(List<HasMetadata> objects) {

  /** What runs pods: their labels and what they are. */
  record Pods(
      String kind, String name, Integer replicas, Map<String, String> labels, PodSpec spec) {

    List<Container> containers() {
      return spec.getContainers();
    }

    boolean selectedBy(Map<String, String> labels) {
      return this.labels.entrySet().containsAll(labels.entrySet());
    }

    /** Whether one of the containers declares a port, by its name or number. */
    boolean declare(IntOrString port) {
      return containers().stream().anyMatch(container -> PodRules.declares(container, port));
    }
  }

  static Manifests parse(String text) {
    return new Manifests(Yamls.documents(text).stream().map(StrictObjects::read).toList());
  }

  <T extends HasMetadata> List<T> all(Class<T> type) {
    return objects.stream().filter(type::isInstance).map(type::cast).toList();
  }

  List<String> names(Class<? extends HasMetadata> type) {
    return all(type).stream().map(object -> object.getMetadata().getName()).toList();
  }

  <T extends HasMetadata> T one(Class<T> type, String name) {
    return all(type).stream()
        .filter(object -> object.getMetadata().getName().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + type.getSimpleName() + " " + name));
  }

  /** Objects of a kind that is not Kubernetes' own, as they were written. */
  List<Map<String, Object>> custom(String kind) {
    return objects.stream()
        .filter(CustomObject.class::isInstance)
        .map(CustomObject.class::cast)
        .filter(object -> object.getKind().equals(kind))
        .map(CustomObject::content)
        .toList();
  }

  /** Those that a selector means. */
  List<Pods> selected(Map<String, String> labels) {
    return pods().stream().filter(pods -> pods.selectedBy(labels)).toList();
  }

  List<Pods> pods() {
    return objects.stream().flatMap(Manifests::pods).toList();
  }

  Pods pods(String name) {
    return pods().stream()
        .filter(pods -> pods.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError("nothing runs pods of the name " + name));
  }

  private static Stream<Pods> pods(HasMetadata object) {
    String kind = object.getKind();
    String name = object.getMetadata().getName();
    if (object instanceof Deployment deployment) {
      var template = deployment.getSpec().getTemplate();
      return Stream.of(
          new Pods(
              kind,
              name,
              deployment.getSpec().getReplicas(),
              template.getMetadata().getLabels(),
              template.getSpec()));
    }
    if (object instanceof StatefulSet set) {
      var template = set.getSpec().getTemplate();
      return Stream.of(
          new Pods(
              kind,
              name,
              set.getSpec().getReplicas(),
              template.getMetadata().getLabels(),
              template.getSpec()));
    }
    if (object instanceof Pod pod) {
      return Stream.of(new Pods(kind, name, 1, pod.getMetadata().getLabels(), pod.getSpec()));
    }
    return Stream.empty();
  }
}
