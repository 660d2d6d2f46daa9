// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "sessions",
    dependencies: [
        // In a package of your own: .package(url: "…/oakum", from: "…")
        .package(name: "oakum", path: "../..")
    ],
    targets: [
        .target(name: "Sessions"),
        .testTarget(
            name: "SessionsTests",
            dependencies: [
                "Sessions",
                .product(name: "LeakTesting", package: "oakum"),
                .product(name: "LeakTestingXCTest", package: "oakum"),
            ]),
    ]
)
