package io.bitloom.deploy.chart;

import io.bitloom.deploy.chart.Manifests.Pods;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodResourceClaim;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimTemplate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** How the objects of a rendering have to fit together. */
final class ChartRules {

  /** Names that the values of the tests give to what is there before the chart. */
  private static final String EXISTING = "existing-";

  private static final String NAME = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
  private static final String LABEL = "([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?";

  private static final Set<String> LABELS =
      Set.of(
          "app.kubernetes.io/name",
          "app.kubernetes.io/instance",
          "app.kubernetes.io/component",
          "app.kubernetes.io/part-of",
          "app.kubernetes.io/version",
          "app.kubernetes.io/managed-by",
          "helm.sh/chart");

  private final Manifests manifests;
  private final List<String> faults = new ArrayList<>();

  private ChartRules(Manifests manifests) {
    this.manifests = manifests;
  }

  /** What is wrong with a rendering; empty: nothing. */
  static List<String> faults(Manifests manifests) {
    ChartRules rules = new ChartRules(manifests);
    rules.checkNamesAndLabels();
    rules.checkSelectors();
    manifests.pods().forEach(pods -> rules.faults.addAll(PodRules.faults(pods)));
    manifests.pods().forEach(rules::checkReferences);
    manifests.all(Service.class).forEach(rules::check);
    manifests.all(PodDisruptionBudget.class).forEach(rules::check);
    rules.faults.addAll(NetworkRules.faults(manifests));
    manifests.all(Ingress.class).forEach(rules::check);
    rules.checkRoutes();
    rules.checkScaling();
    rules.checkMonitors();
    return rules.faults;
  }

  private void require(boolean fulfilled, HasMetadata object, String what) {
    if (!fulfilled) {
      faults.add(object.getKind() + " " + object.getMetadata().getName() + ": " + what);
    }
  }

  private void checkNamesAndLabels() {
    Set<String> seen = new HashSet<>();
    for (HasMetadata object : manifests.objects()) {
      String name = object.getMetadata().getName();
      Map<String, String> labels = object.getMetadata().getLabels();
      require(name.matches(NAME), object, "has no name of at most 63 letters, digits and dashes");
      require(
          !(object instanceof StatefulSet) || name.length() <= 52,
          object,
          "leaves no room for what its pods are called");
      require(seen.add(object.getKind() + " " + name), object, "is there twice");
      require(labels.keySet().containsAll(LABELS), object, "lacks labels of " + LABELS);
      require(
          labels.values().stream().allMatch(it -> it.matches(LABEL)),
          object,
          "has a label that is none: " + labels);
    }
  }

  /** What runs pods selects its own and nobody else's. */
  private void checkSelectors() {
    for (HasMetadata object : manifests.objects()) {
      Map<String, String> selector =
          object instanceof Deployment deployment
              ? deployment.getSpec().getSelector().getMatchLabels()
              : object instanceof StatefulSet set
                  ? set.getSpec().getSelector().getMatchLabels()
                  : null;
      if (selector != null) {
        List<String> selected = manifests.selected(selector).stream().map(Pods::name).toList();
        require(
            selected.equals(List.of(object.getMetadata().getName())),
            object,
            "selects the pods of " + selected);
      }
    }
  }

  private void checkReferences(Pods pods) {
    String whose = pods.kind() + " " + pods.name();
    for (Volume volume : pods.spec().getVolumes()) {
      if (volume.getSecret() != null) {
        secret(whose, volume.getSecret().getSecretName());
      }
      if (volume.getProjected() != null) {
        volume.getProjected().getSources().stream()
            .map(VolumeProjection::getSecret)
            .forEach(source -> secret(whose, source.getName()));
      }
      if (volume.getConfigMap() != null) {
        there(whose, ConfigMap.class, volume.getConfigMap().getName());
      }
      if (volume.getPersistentVolumeClaim() != null) {
        there(whose, PersistentVolumeClaim.class, volume.getPersistentVolumeClaim().getClaimName());
      }
    }
    pods.containers().stream()
        .flatMap(container -> container.getEnv().stream())
        .map(EnvVar::getValueFrom)
        .filter(source -> source != null && source.getSecretKeyRef() != null)
        .forEach(source -> secret(whose, source.getSecretKeyRef().getName()));
    pods.spec().getImagePullSecrets().forEach(reference -> secret(whose, reference.getName()));
    String account = pods.spec().getServiceAccountName();
    if (account != null && !account.equals("default")) {
      there(whose, ServiceAccount.class, account);
    }
    for (PodResourceClaim claim : pods.spec().getResourceClaims()) {
      there(whose, ResourceClaimTemplate.class, claim.getResourceClaimTemplateName());
    }
  }

  /** The chart makes no Secret, so that each is one that was there before. */
  private void secret(String whose, String name) {
    if (name == null || !name.startsWith(EXISTING)) {
      faults.add(whose + " wants Secret " + name + ", which nobody was told to make");
    }
  }

  private void there(String whose, Class<? extends HasMetadata> type, String name) {
    if (!manifests.names(type).contains(name) && !String.valueOf(name).startsWith(EXISTING)) {
      faults.add(whose + " wants " + type.getSimpleName() + " " + name + ", which is not there");
    }
  }

  private void check(Service service) {
    List<Pods> selected = manifests.selected(service.getSpec().getSelector());
    require(selected.size() == 1, service, "selects " + selected.size() + " kinds of pods");
    service
        .getSpec()
        .getPorts()
        .forEach(
            port ->
                require(
                    selected.stream().allMatch(pods -> pods.declare(port.getTargetPort())),
                    service,
                    "its pods have no port " + port.getTargetPort()));
  }

  private void check(PodDisruptionBudget budget) {
    List<Pods> selected = manifests.selected(budget.getSpec().getSelector().getMatchLabels());
    require(selected.size() == 1, budget, "selects " + selected.size() + " kinds of pods");
    for (Pods pods : selected) {
      // What is scaled by others says no number here.
      require(
          pods.replicas() == null || pods.replicas() > 1,
          budget,
          "would hold up the drain of a node for the only pod there is");
    }
  }

  private void check(Ingress ingress) {
    ingress.getSpec().getRules().stream()
        .flatMap(rule -> rule.getHttp().getPaths().stream())
        .map(path -> path.getBackend().getService())
        .forEach(
            backend ->
                require(
                    manifests.one(Service.class, backend.getName()).getSpec().getPorts().stream()
                        .anyMatch(port -> port.getName().equals(backend.getPort().getName())),
                    ingress,
                    "leads to no port"));
  }

  private void checkRoutes() {
    manifests
        .all(GRPCRoute.class)
        .forEach(
            route ->
                route.getSpec().getRules().stream()
                    .flatMap(rule -> rule.getBackendRefs().stream())
                    .forEach(to -> checkBackend(route, to.getName(), to.getPort())));
    manifests
        .all(HTTPRoute.class)
        .forEach(
            route ->
                route.getSpec().getRules().stream()
                    .flatMap(rule -> rule.getBackendRefs().stream())
                    .forEach(to -> checkBackend(route, to.getName(), to.getPort())));
  }

  private void checkBackend(HasMetadata route, String service, Integer port) {
    require(
        manifests.one(Service.class, service).getSpec().getPorts().stream()
            .anyMatch(it -> it.getPort().equals(port)),
        route,
        "leads to no port");
  }

  private void checkScaling() {
    for (Map<String, Object> scaled : manifests.custom("ScaledObject")) {
      String name = (String) Yamls.at(scaled, "spec", "scaleTargetRef", "name");
      if (manifests.one(Deployment.class, name).getSpec().getReplicas() != null) {
        faults.add("Deployment " + name + ": an upgrade would undo what KEDA has scaled");
      }
      Object trigger = Yamls.at(scaled, "spec", "triggers", 0);
      String address = (String) Yamls.at(trigger, "metadata", "scalerAddress");
      checkAddress("ScaledObject " + name, address);
      Object authentication = Yamls.at(trigger, "authenticationRef", "name");
      List<Object> known =
          manifests.custom("TriggerAuthentication").stream()
              .map(object -> Yamls.at(object, "metadata", "name"))
              .toList();
      if (authentication != null && !known.contains(authentication)) {
        faults.add("ScaledObject " + name + ": there is no " + authentication);
      }
    }
    for (Map<String, Object> access : manifests.custom("TriggerAuthentication")) {
      for (Object reference : (List<?>) Yamls.at(access, "spec", "secretTargetRef")) {
        secret("TriggerAuthentication", (String) Yamls.at(reference, "name"));
      }
    }
  }

  /** Within the cluster a Service is called by its name, its name space's, and svc. */
  private void checkAddress(String whose, String address) {
    String[] parts = address.split("\\.", 2);
    boolean known =
        manifests.all(Service.class).stream()
            .filter(service -> service.getMetadata().getName().equals(parts[0]))
            .flatMap(service -> service.getSpec().getPorts().stream())
            .anyMatch(port -> parts[1].equals(Chart.NAMESPACE + ".svc:" + port.getPort()));
    if (!known) {
      faults.add(whose + " calls " + address + ", where nobody listens");
    }
  }

  private void checkMonitors() {
    for (Map<String, Object> monitor : manifests.custom("PodMonitor")) {
      String whose = "PodMonitor " + Yamls.at(monitor, "metadata", "name");
      Map<String, String> labels = new HashMap<>();
      Yamls.map(Yamls.at(monitor, "spec", "selector", "matchLabels"))
          .forEach((key, value) -> labels.put(key, (String) value));
      Object endpoint = Yamls.at(monitor, "spec", "podMetricsEndpoints", 0);
      IntOrString port = new IntOrString((String) Yamls.at(endpoint, "port"));
      List<Pods> scraped = manifests.selected(labels);
      if (scraped.isEmpty() || !scraped.stream().allMatch(pods -> pods.declare(port))) {
        faults.add(whose + " finds no port " + port.getStrVal());
      }
      Object token = Yamls.at(endpoint, "authorization", "credentials", "name");
      if (token != null) {
        secret(whose, (String) token);
      }
      Object ca = Yamls.at(endpoint, "tlsConfig", "ca", "secret", "name");
      if (ca != null) {
        secret(whose, (String) ca);
      }
    }
  }
}
