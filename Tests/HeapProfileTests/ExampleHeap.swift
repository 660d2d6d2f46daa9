import HeapProfile
import OakumModel

/// A small heap with names, in exact mode: figures can be worked out by hand.
enum ExampleHeap {
    static let registry: UInt64 = 0x40_1001
    static let buffer: UInt64 = 0x40_2001
    static let unnamed: UInt64 = 0x40_3001
    static let routes: UInt64 = 0x40_4001
    static let main: UInt64 = 0x40_5001
    static let malloc: UInt64 = 0x60_0001
    static let nowhere: UInt64 = 0x99_0001

    static let server = "/srv/app/server"

    static let frames: [UInt64: [Frame]] = [
        malloc: [Frame(function: "swift_slowAlloc", module: "/usr/lib/swift/linux/libswiftCore.so")],
        registry: [
            Frame(
                function: "generic specialization <Swift.String> of Swift._NativeDictionary.copyAndResize() -> ()",
                file: "/usr/lib/swift/NativeDictionary.swift", line: 7, module: server, isInlined: true),
            Frame(
                function: "App.Registry.remember(Swift.String) -> ()", file: "/build/Sources/App/Registry.swift",
                line: 41, module: server),
        ],
        buffer: [Frame(function: "NIOCore.ByteBuffer.init(capacity: Swift.Int) -> ()", module: server)],
        routes: [
            Frame(
                function: "closure #2 (App.Request) -> () in App.Routes.add() -> ()",
                file: "/build/Sources/App/Routes.swift", line: 12, module: server)
        ],
        main: [Frame(function: "main", module: server)],
    ]

    static let stacks = [
        StackTrace(addresses: [], quality: .missing),
        StackTrace(addresses: [malloc, registry, routes, main]),
        StackTrace(addresses: [malloc, registry, routes, main, nowhere], quality: .endedEarly),
        StackTrace(addresses: [buffer, main]),
        StackTrace(addresses: [unnamed]),
    ]

    /// Address, size, seconds of birth, stack.
    static func image(_ blocks: [(UInt64, UInt64, Double, Int)], pid: Int32 = 42, observed: Double = 200) -> HeapImage {
        HeapImage(
            process: SampledProcess(
                identity: ProcessIdentity(pid: pid, startTicks: 1), samplingSince: Uptime(seconds: 100),
                executable: server, samplerVersion: "1.0"),
            mode: .exact, meanBytes: 1, bytesInUse: 1 << 20, observed: Uptime(seconds: observed),
            modules: [
                LoadedModule(
                    loadBias: 0x40_0000, addresses: 0x40_0000..<0x50_0000, buildID: [0xAB, 1], path: server),
                LoadedModule(
                    loadBias: 0x60_0000, addresses: 0x60_0000..<0x70_0000, path: "/usr/lib/swift/linux/libswiftCore.so"),
            ],
            stacks: stacks,
            live: blocks.map { address, size, born, stack in
                AllocationRecord(
                    address: address, size: size, weight: Double(size), bornNanoseconds: UInt64(born * 1e9),
                    stack: stack)
            })
    }

    static let blocks: [(UInt64, UInt64, Double, Int)] = [
        (0x1000, 600, 110, 1), (0x2000, 300, 150, 2), (0x3000, 100, 120, 1), (0x4000, 400, 130, 3),
        (0x5000, 50, 140, 4), (0x6000, 10, 160, 0),
    ]

    static var profile: HeapProfile {
        HeapProfile(image(blocks), frames: frames, types: [0x1000: "[UInt8]", 0x2000: "App.Entry", 0x3000: "[UInt8]"])
    }
}
