// swift-tools-version: 6.2
import Foundation
import PackageDescription

// `make test-core` sets OAKUM_CORE=1: ring 0 alone, without outside packages, so that its edit-test loop takes seconds.
let coreOnly = ProcessInfo.processInfo.environment["OAKUM_CORE"] != nil

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

// MARK: - Outside products, named once

typealias Dependency = Target.Dependency
let argumentParser = Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Dependency.product(name: "GRDB", package: "GRDB.swift")
let hummingbird = Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes = Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let histogram = Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let lifecycle = Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let coreMetrics = Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let metricsTestKit = Dependency.product(name: "MetricsTestKit", package: "swift-metrics")
let yams = Dependency.product(name: "Yams", package: "Yams")

// MARK: - Shorthands: one line per target

func code(_ name: String, _ dependencies: [Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(
    _ name: String, _ dependencies: [Dependency], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["OakumTestKit", "Spawning"], exclude: exclude, resources: resources,
        swiftSettings: settings)
}

// MARK: - Targets by ring; docs/architecture.md says what each may import

// Linked into a program it interposes malloc there; the library to preload is built by scripts/sampler from the same files.
let sampler: [Target] = [
    .target(name: "CHeapSampler", cSettings: [.define("_GNU_SOURCE"), .define("OAKUM_HEAP_LINKED")]),
    tests("HeapSamplerTests", [], exclude: ["Programs"]),
]

let ring0: [Target] = [
    code("OakumModel"),
    code("LeakDetection", ["OakumModel"]),
    code("Recycling", ["OakumModel"]),
    code("Releases", ["OakumModel"]),
    code("Diagnosis", ["OakumModel"]),
    code("HeapProfile", ["OakumModel"]),
    code("AlertRules", ["OakumModel"]),
    code("Paging", ["OakumModel"]),
    code("Incidents", ["OakumModel", "Paging"]),
    code("Postmortem", ["OakumModel"]),
    code("LeakTrial"),
    code("ReleaseGate", ["OakumModel", "LeakDetection", "LeakTrial"]),
    code("KeeperProtocol"),
    code("KeeperCore", ["KeeperProtocol"]),
    code("OakumTestKit", ["OakumModel", "Spawning"]),
    tests("RepositoryTests", []),
    tests("OakumTestKitTests", []),
    tests("OakumModelTests", ["OakumModel"]),
    tests("LeakDetectionTests", ["LeakTesting", "LeakDetection", "OakumModel"], exclude: ["Corpus"]),
    tests("RecyclingTests", ["LeakTesting", "Recycling", "OakumModel"]),
    tests("ReleasesTests", ["Releases", "OakumModel"]),
    tests("HeapProfileTests", ["HeapProfile", "OakumModel"]),
    tests("DiagnosisTests", ["LeakTesting", "Diagnosis", "LeakDetection", "OakumModel"]),
    tests("AlertRulesTests", ["LeakTesting", "AlertRules", "OakumModel"]),
    tests(
        "PagingTests", ["LeakTesting", "Paging", "OakumModel"], exclude: ["Zones/generate.py", "Zones/vectors.txt"]),
    tests("IncidentsTests", ["LeakTesting", "Incidents", "Paging", "OakumModel"]),
    tests("PostmortemTests", ["Postmortem", "OakumModel"], exclude: ["Golden"]),
    tests("LeakTrialTests", ["LeakTrial"]),
    tests("ReleaseGateTests", ["ReleaseGate", "OakumModel"]),
    tests("KeeperProtocolTests", ["LeakTesting", "KeeperProtocol", "KeeperCore"]),
]

// Of the shared blocks those that the pure core's tests need too.
let sharedCore: [Target] = [
    .target(name: "CLinux"),
    code("Spawning", ["CLinux"]),
    code("ProcessReadings", ["CLinux"]),
    .systemLibrary(
        name: "CSodium", path: "Sources/CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(name: "CZlib", path: "Sources/CZlib", providers: [.apt(["zlib1g-dev"])]),
    code("Artefacts", ["CLinux", "CSodium", "CZlib"]),
    tests("ArtefactsTests", ["Artefacts", "CLinux", "CSodium", "CZlib"]),
]

let shared: [Target] = [
    .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
    code("Outbound", ["CCurl"]),
    code("Migrations", [grdb]),
    code("DurableOutbox", ["Migrations", grdb]),
    code("PrometheusText"),
    code("StrictYAML", [yams]),
]

// What reads a heap from outside its process: no outside packages either, so it is built and tested with the core.
let heap: [Target] = [
    .target(name: "CElf", linkerSettings: [.linkedLibrary("dw")]),
    code("HeapInspection", ["HeapProfile", "OakumModel", "CLinux", "CElf"]),
    .executableTarget(
        name: "fixture-cache", dependencies: ["BoundedCache"], path: "Tests/FixtureCache", swiftSettings: settings),
    tests(
        "HeapInspectionTests", ["HeapInspection", "HeapProfile", "OakumModel", "CLinux", "fixture-cache"],
        exclude: ["Programs"]),
]

// A product without outside packages, so built and tested with the core too.
let cache: [Target] = [
    code("BoundedCache", ["CLinux"]),
    tests("BoundedCacheTests", ["LeakTesting", "BoundedCache", "CLinux", "cache-soak"]),
    code("CachePressure", ["BoundedCache", "ProcessReadings", "CLinux"]),
    .executableTarget(
        name: "fixture-pressure", dependencies: ["BoundedCache", "CachePressure"], path: "Tests/FixturePressure",
        swiftSettings: settings),
    tests(
        "CachePressureTests",
        ["LeakTesting", "BoundedCache", "CachePressure", "ProcessReadings", "fixture-pressure"],
        exclude: ["Trees"]),
    code("CacheTraces", ["CLinux"]),
    .executableTarget(
        name: "cache-bench", dependencies: ["BoundedCache", "CacheTraces", "CLinux"], exclude: ["Peers"],
        swiftSettings: settings),
    .executableTarget(
        name: "cache-soak", dependencies: ["BoundedCache", "CLinux"], swiftSettings: settings),
    tests("CacheTracesTests", ["BoundedCache", "CacheTraces"], exclude: ["Traces"]),
]

// A product without outside packages too. CHeapSampler is linked in: it is what watches the allocator of a test executable.
let leakTesting: [Target] = [
    code("LeakTesting", ["CHeapSampler", "HeapInspection", "HeapProfile", "OakumModel", "CLinux"]),
    code("LeakTestingXCTest", ["LeakTesting"]),
    tests("LeakTestingTests", ["LeakTesting", "BoundedCache"]),
]

let products: [Target] = [
    code("BoundedCacheMetrics", ["BoundedCache", coreMetrics]),
    code("BoundedCacheWeights", ["BoundedCache", nioCore]),
    code(
        "ServiceHandover",
        [
            "CLinux", "PrometheusText", hummingbird, hummingbirdCore, httpTypes, lifecycle, unixSignals, logging,
            nioCore,
            nioPosix, nioHTTP1, nioHTTPTypes, nioHTTPTypesHTTP1,
        ]),
]

let ring1: [Target] = [
    code("OakumAPI", ["OakumModel", "Diagnosis", "Releases"]),
    code(
        "OakumEngine",
        [
            "OakumAPI", "OakumModel", "LeakDetection", "Recycling", "Diagnosis", "AlertRules", "Paging", "Incidents",
            "Releases", "ReleaseGate",
        ]),
    code("Deployment", ["OakumEngine", "OakumModel", "Releases", "Artefacts", "Outbound", "Spawning", "CLinux"]),
    code("EngineTestKit", ["OakumEngine", "OakumAPI", "OakumModel", "Incidents"]),
]

let ring2: [Target] = [
    code(
        "LinuxHost",
        ["OakumEngine", "OakumModel", "KeeperProtocol", "ProcessReadings", "CLinux", "Outbound", "PrometheusText"]),
    code("SeriesStore", ["OakumEngine", "OakumModel"]),
    code(
        "IncidentStoreSQLite",
        [
            "OakumEngine", "OakumAPI", "OakumModel", "AlertRules", "Incidents", "Paging", "DurableOutbox", "Migrations",
            grdb,
        ]),
    code("Notify", ["OakumModel", "Outbound", "CSodium"]),
    code(
        "OakumHTTP",
        [
            "OakumAPI", "OakumModel", "Diagnosis", "PrometheusText", "CSodium", hummingbird, hummingbirdCore, httpTypes,
            lifecycle, logging,
            nioCore, nioPosix, nioHTTPTypes,
        ]),
    code("OakumRemote", ["OakumAPI", "OakumModel", "Outbound"]),
    code("LoadGenerator", ["OakumModel", "CLinux", "ProcessReadings", "StrictYAML", histogram]),
]

let jobs: [Target] = [
    code(
        "DrillRunner",
        [
            "OakumAPI", "OakumModel", "LoadGenerator", "ProcessReadings", "Spawning", "StrictYAML", "CLinux",
        ]),
    code(
        "StressRunner",
        [
            "LeakTrial", "LoadGenerator", "HeapInspection", "HeapProfile", "OakumModel", "ProcessReadings", "Spawning",
            "StrictYAML", "CLinux",
        ]),
]

let ring3: [Target] = [
    code(
        "OakumApp",
        [
            "OakumModel", "OakumAPI", "OakumEngine", "LeakDetection", "Recycling", "KeeperProtocol", "LinuxHost",
            "Deployment",
            "SeriesStore", "IncidentStoreSQLite", "OakumHTTP", "ProcessReadings", "Spawning", "HeapInspection",
            "HeapProfile", "AlertRules", "Paging", "Incidents", "Postmortem", "DurableOutbox", "Notify", "CSodium",
            "CLinux", "CZlib", "Outbound", "StrictYAML",
            lifecycle, logging, unixSignals,
        ]),
    program(
        "oakum",
        [
            "OakumApp", "OakumRemote", "OakumAPI", "OakumEngine", "OakumModel", "Releases", "Diagnosis",
            "HeapInspection",
            "HeapProfile", "Postmortem", "Artefacts",
            "DrillRunner", "StressRunner", "LeakTrial", "StrictYAML",
            "LoadGenerator", argumentParser,
        ]),
    program(
        "oakum-bench", ["LoadGenerator", "OakumAPI", "OakumModel", "OakumRemote", argumentParser]),
    program("oakum-keeper", ["KeeperProtocol", "KeeperCore", "CLinux"]),
]

let registration: [Target] = [
    code("RegistrationCore"),
    code("RegistrationStoreSQLite", ["RegistrationCore", "Migrations", grdb]),
    code(
        "RegistrationHTTP",
        [
            "RegistrationCore", "BoundedCache", "PrometheusText", "CSodium", "CLinux", hummingbird, httpTypes, logging,
            nioCore,
        ]),
    code(
        "RegistrarProgram",
        [
            "RegistrationCore", "RegistrationStoreSQLite", "RegistrationHTTP", "ServiceHandover", "BoundedCache",
            "CachePressure", argumentParser,
            hummingbird, lifecycle, logging, unixSignals,
        ]),
    program("registrar", ["RegistrarProgram", argumentParser]),
    code("RegistrationFaults", ["RegistrationCore", "PrometheusText"]),
    program("registrar-drill", ["RegistrarProgram", "RegistrationFaults", argumentParser]),
]

let examples: [Target] = [
    .executableTarget(
        name: "example-handover", dependencies: ["ServiceHandover", hummingbird, logging],
        path: "examples/handover", swiftSettings: settings)
]

let heavyTests: [Target] = [
    tests(
        "BoundedCacheMetricsTests",
        ["LeakTesting", "BoundedCacheMetrics", "BoundedCache", coreMetrics, metricsTestKit]),
    tests("BoundedCacheWeightsTests", ["BoundedCacheWeights", "BoundedCache", "CLinux", nioCore]),
    tests("PrometheusTextTests", ["PrometheusText"]),
    .executableTarget(
        name: "fixture-outbox", dependencies: ["DurableOutbox", "Migrations", "CLinux", grdb],
        path: "Tests/FixtureOutbox", swiftSettings: settings),
    tests("DurableOutboxTests", ["LeakTesting", "DurableOutbox", "Migrations", "CLinux", "fixture-outbox", grdb]),
    tests(
        "ResponseTests",
        [
            "LeakTesting", "OakumEngine", "OakumAPI", "OakumModel", "IncidentStoreSQLite", "Incidents", "Paging",
            "DurableOutbox", grdb,
        ]),
    tests("NotifyTests", ["LeakTesting", "Notify", "Outbound", "OakumModel"]),
    .executableTarget(
        name: "fixture-worker", dependencies: ["CLinux"], path: "Tests/FixtureWorker", swiftSettings: settings),
    tests("KeeperTests", ["KeeperProtocol", "KeeperCore", "CLinux", "oakum-keeper", "fixture-worker"]),
    tests(
        "EngineTests",
        [
            "LeakTesting", "OakumEngine", "EngineTestKit", "OakumAPI", "OakumModel", "LeakDetection", "Recycling",
            "Diagnosis", "AlertRules", "Incidents", "Paging",
        ]),
    tests(
        "ContractTests",
        [
            "LeakTesting", "OakumEngine", "EngineTestKit", "OakumAPI", "OakumModel", "SeriesStore",
            "IncidentStoreSQLite", "AlertRules", "Incidents",
            "DurableOutbox", "RegistrationCore",
            "RegistrationStoreSQLite", "Migrations", grdb,
        ]),
    tests(
        "LinuxTests",
        [
            "LeakTesting", "ProcessReadings", "CLinux", "Outbound", "LinuxHost", "OakumEngine", "EngineTestKit",
            "OakumModel", "oakum-keeper", "fixture-worker",
        ]),
    tests(
        "ConsoleTests",
        [
            "LeakTesting", "OakumHTTP", "OakumRemote", "OakumAPI", "OakumModel", "Outbound", "PrometheusText",
            lifecycle, logging,
        ]),
    tests(
        "ConfigurationTests",
        ["OakumApp", "AlertRules", "Incidents", "Notify", "Outbound", "Paging", "OakumModel", "StrictYAML"]),
    tests("LoadGeneratorTests", ["LoadGenerator", "OakumModel", "StrictYAML", nioCore, nioPosix]),
    tests(
        "ServiceHandoverTests",
        [
            "LeakTesting", "ServiceHandover", "PrometheusText", "example-handover", hummingbird, httpTypes, lifecycle,
            logging, nioCore, nioPosix,
        ]),
    tests(
        "RegistrationTests",
        [
            "LeakTesting", "RegistrationCore", "RegistrationHTTP", "RegistrationStoreSQLite", "RegistrationFaults",
            "RegistrarProgram",
            "registrar", "registrar-drill", "PrometheusText", "Outbound", hummingbird, httpTypes, logging, nioCore,
            nioEmbedded,
        ]),
    .executableTarget(name: "fixture-leaker", path: "Tests/FixtureLeaker", swiftSettings: settings),
    tests("StressRunnerTests", ["StressRunner", "LeakTrial", "LoadGenerator", "oakum", "registrar", "oakum-keeper"]),
    tests(
        "DrillRunnerTests",
        ["DrillRunner", "LoadGenerator", "OakumAPI", "OakumModel", "StrictYAML", "oakum", "fixture-leaker"]),
    tests(
        "ProcessTests",
        [
            "oakum", "oakum-keeper", "registrar", "registrar-drill", "OakumAPI", "OakumModel", "OakumApp",
            "LoadGenerator", "Outbound", "OakumRemote", "Postmortem", "Releases",
        ], exclude: ["Programs"]),
]

let package = Package(
    name: "oakum",
    products: coreOnly
        ? []
        : [
            .library(name: "BoundedCache", targets: ["BoundedCache"]),
            .library(name: "BoundedCacheMetrics", targets: ["BoundedCacheMetrics"]),
            .library(name: "BoundedCacheWeights", targets: ["BoundedCacheWeights"]),
            .library(name: "CachePressure", targets: ["CachePressure"]),
            .library(name: "LeakTesting", targets: ["LeakTesting"]),
            .library(name: "LeakTestingXCTest", targets: ["LeakTestingXCTest"]),
            .library(name: "ServiceHandover", targets: ["ServiceHandover"]),
            .executable(name: "oakum", targets: ["oakum"]),
            .executable(name: "oakum-keeper", targets: ["oakum-keeper"]),
            .executable(name: "registrar", targets: ["registrar"]),
            .executable(name: "registrar-drill", targets: ["registrar-drill"]),
        ],
    dependencies: coreOnly
        ? []
        : [
            .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
            .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0", traits: []),
            .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
            .package(url: "https://github.com/apple/swift-metrics.git", exact: "2.13.0"),
            .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
            .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
            .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
            .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
            .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
            .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
            .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        ],
    targets: coreOnly
        ? ring0 + sampler + sharedCore + heap + cache + leakTesting
        : ring0 + sampler + sharedCore + shared + heap + cache + leakTesting + products + ring1 + ring2 + jobs + ring3
            + registration
            + examples
            + heavyTests
)
