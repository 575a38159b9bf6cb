// The types of `artifacts:reports`: the file name and format that each is uploaded with. A table.

export interface ReportKind {
  readonly name: string;
  readonly format: "gzip" | "raw" | "zip";
}

const gzip = (name: string): ReportKind => ({ name, format: "gzip" });
const raw = (name: string): ReportKind => ({ name, format: "raw" });
const zip = (name: string): ReportKind => ({ name, format: "zip" });

export const REPORTS: Readonly<Record<string, ReportKind>> = {
  junit: gzip("junit.xml"),
  dotenv: gzip(".env"),
  metrics: gzip("metrics.txt"),
  cyclonedx: gzip("gl-sbom.cdx.json"),
  annotations: gzip("gl-annotations.json"),
  repository_xray: gzip("gl-repository-xray.json"),
  lsif: zip("lsif.json"),
  scip: zip("index.scip"),
  accessibility: raw("gl-accessibility.json"),
  codequality: raw("gl-code-quality-report.json"),
  terraform: raw("tfplan.json"),
  sast: raw("gl-sast-report.json"),
  secret_detection: raw("gl-secret-detection-report.json"),
  dependency_scanning: raw("gl-dependency-scanning-report.json"),
  container_scanning: raw("gl-container-scanning-report.json"),
  cluster_image_scanning: raw("gl-cluster-image-scanning-report.json"),
  dast: raw("gl-dast-report.json"),
  coverage_fuzzing: raw("gl-coverage-fuzzing.json"),
  api_fuzzing: raw("gl-api-fuzzing-report.json"),
  license_scanning: raw("gl-license-scanning-report.json"),
  performance: raw("performance.json"),
  browser_performance: raw("browser-performance.json"),
  load_performance: raw("load-performance.json"),
  requirements: raw("requirements.json"),
  requirements_v2: raw("requirements_v2.json"),
  sarif: raw("gl-sarif-report.sarif"),
};

/** What `coverage_report` arrives as. */
export const COVERAGE_REPORTS: Readonly<Record<"cobertura" | "jacoco", ReportKind>> = {
  cobertura: gzip("cobertura-coverage.xml"),
  jacoco: gzip("jacoco-coverage.xml"),
};
export const COVERAGE_FORMATS = ["cobertura", "jacoco"] as const;

export const REMOVED_REPORTS = {
  cobertura:
    "GitLab removed it in 15.0; write coverage_report with coverage_format: cobertura and path.",
  jacoco: "write coverage_report with coverage_format: jacoco and path.",
};
