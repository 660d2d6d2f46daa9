import HeapProfile
import OakumTestKit
import Testing

struct FrameRulesTests {
    @Test(arguments: [
        ("malloc", "/lib/x86_64-linux-gnu/libc.so.6", nil, FrameRole.allocator),
        ("sample_and_record", "/usr/lib/oakum/liboakumheap.so", nil, .allocator),
        ("swift_allocObject", "/usr/lib/swift/linux/libswiftCore.so", nil, .allocator),
        ("swift_slowAlloc", "/srv/app/server", nil, .allocator),
        ("operator new(unsigned long)", "/lib/libstdc++.so.6", nil, .allocator),
        (
            "std::allocator_traits<std::allocator<int> >::allocate(std::allocator<int>&, unsigned long)", "/srv/a", nil,
            .allocator
        ),
        ("std::vector<int, std::allocator<int> >::push_back(int&&)", "/srv/app", nil, .runtime),
        ("void std::vector<int, std::allocator<int> >::_M_realloc_insert<int>(int&&)", "/srv/app", nil, .runtime),
        (
            "generic specialization <Swift.String> of Swift._NativeDictionary.copyAndResize(capacity: Swift.Int) -> ()",
            "/srv/app/server", nil, .runtime
        ),
        ("swift::runSynchronously()", "/usr/lib/swift/linux/libswift_Concurrency.so", nil, .runtime),
        ("__libc_start_call_main", "/lib/x86_64-linux-gnu/libc.so.6", nil, .runtime),
        ("Foundation.Data.append(Foundation.Data) -> ()", "/srv/app/server", nil, .runtime),
        ("NIOCore.ByteBuffer.reserveCapacity(Swift.Int) -> ()", "/srv/app/server", nil, .dependency),
        (
            "Something.make() -> ()", "/srv/app/server", "/home/me/app/.build/checkouts/swift-x/Sources/S/a.swift",
            .dependency
        ),
        ("sqlite3_exec", "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0", nil, .dependency),
        ("PyList_Append", "/usr/bin/python3.11", nil, .own),
        ("reabstraction thunk helper from () -> () to () -> ()", "/srv/app/server", nil, .glue),
        ("App.Registry.remember(Swift.String) -> ()", "/srv/app/server", "/build/Sources/App/Registry.swift", .own),
        ("(extension in App):Swift.Array.doubled() -> [Swift.Int]", "/srv/app/server", nil, .own),
        ("table_grow", "/srv/app/server", "/build/table.c", .own), ("server+0x1234", "/srv/app/server", nil, .own),
        ("main", "/srv/app/server", nil, .own),
    ])
    func `frames are told apart`(function: String, module: String, file: String?, role: FrameRole) {
        #expect(FrameRules().role(of: Frame(function: function, file: file, line: 1, module: module)) == role)
    }

    @Test func `a person may name own modules and packages`() {
        let rules = FrameRules(dependencyModules: ["Kit*"], ownModules: ["NIOCore"])
        #expect(rules.role(of: Frame(function: "NIOCore.Channel.read() -> ()", module: "/srv/a")) == .own)
        #expect(rules.role(of: Frame(function: "KitUI.View.draw() -> ()", module: "/srv/a")) == .dependency)
        #expect(rules.role(of: Frame(function: "Logging.Logger.log() -> ()", module: "/srv/a")) == .own)
    }
}

struct FingerprintTests {
    private func frames(_ functions: [(String, String?)], module: String = "/srv/app/server") -> [Frame] {
        functions.enumerated().map { index, frame in
            Frame(function: frame.0, file: frame.1, line: index + 10, module: module)
        }
    }

    private var stack: [Frame] {
        frames([
            ("malloc", nil), ("swift_slowAlloc", nil),
            (
                "generic specialization <Swift.String> of App.Registry.remember(A) -> ()",
                "/b1/Sources/App/Registry.swift"
            ),
            ("closure #1 () -> () in App.Routes.add() -> ()", "/b1/Sources/App/Routes.swift"),
            ("(1) await resume partial function for App.Server.run() async -> ()", "/b1/Sources/App/Server.swift"),
            ("App.Server.run() async -> ()", "/b1/Sources/App/Server.swift"), ("main", nil),
        ])
    }

    @Test func `a rebuild elsewhere with other lines and closures keeps the fingerprint`() {
        let rebuilt = frames([
            ("malloc", nil), ("swift_allocObject", nil),
            ("reabstraction thunk helper from () -> () to () -> ()", nil),
            ("App.Registry.remember(A) -> ()", "/other/place/Registry.swift"),
            ("partial apply forwarder for closure #1 () -> () in App.Routes.add() -> ()", nil),
            ("closure #7 () -> () in App.Routes.add() -> ()", "Routes.swift"),
            ("(3) suspend resume partial function for App.Server.run() async -> ()", "/other/Server.swift"),
            ("main", nil),
        ]).map {
            var frame = $0
            frame.line = 999
            return frame
        }
        let fingerprint = Fingerprint(frames: stack)
        #expect(Fingerprint(frames: rebuilt) == fingerprint)
        #expect(fingerprint.survivesRebuild && fingerprint.text.utf8.count == 16)
    }

    @Test func `the fingerprint of a release is the same for ever`() {
        // A change here makes every stored fingerprint worthless: do it knowingly.
        #expect(Fingerprint(frames: stack).text == "f33a10381f2d5e84")
        #expect(Fingerprint(frames: []).text == "efd01f60ba992926")
        #expect(!Fingerprint(frames: []).survivesRebuild)
    }

    @Test func `another function, file or caller is another site`() {
        for index in [2, 3, 5, 6] {
            var other = stack
            other[index].function += "X"
            #expect(Fingerprint(frames: other) != Fingerprint(frames: stack), "frame \(index)")
        }
        var other = stack
        other[2].file = "/b1/Other.swift"
        #expect(Fingerprint(frames: other) != Fingerprint(frames: stack))
    }

    @Test func `callers beyond the fifth own frame do not count`() {
        let deep = (0..<8).map { Frame(function: "App.f\($0)() -> ()", module: "/srv/app") }
        var other = deep
        other[5].function = "App.g() -> ()"
        #expect(Fingerprint(frames: other) == Fingerprint(frames: deep))
        other[4].function = "App.g() -> ()"
        #expect(Fingerprint(frames: other) != Fingerprint(frames: deep))
    }

    @Test func `a stack without own frames is known by its packages, then by the runtime`() {
        let nio = Frame(function: "NIOCore.ByteBuffer.init() -> ()", module: "/srv/app")
        let runtime = Frame(function: "Swift.Array.append(A) -> ()", module: "/srv/app")
        #expect(Fingerprint(frames: [runtime, nio]) == Fingerprint(frames: [nio]))
        #expect(Fingerprint(frames: [runtime]) != Fingerprint(frames: []))
    }
}
