import ArgumentParser

/// Measurements that need the whole of Oakum; `make bench-recycle` runs it. Not shipped.
@main
struct OakumBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "oakum-bench",
        abstract: "Measures Oakum as a whole.",
        subcommands: [RecycleBench.self])
}
