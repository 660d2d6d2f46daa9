import HeapProfile
import Testing

/// Names as swift-demangle, c++filt and nm give them for real programs.
struct FunctionNameTests {
    @Test(arguments: [
        (
            "generic specialization <Swift.String> of App.Registry.remember(A, [Swift.UInt8]) -> ()",
            "App.Registry.remember(A, [Swift.UInt8]) -> ()"
        ),
        (
            "function signature specialization <Arg[0] = Dead> of static App.M.main() async -> ()",
            "static App.M.main() async -> ()"
        ),
        (
            "(2) suspend resume partial function for function signature specialization <Arg[1] = Dead> of "
                + "App.S.put(Swift.Int) async -> [Swift.Int]", "App.S.put(Swift.Int) async -> [Swift.Int]"
        ),
        ("(1) await resume partial function for static App.M.main() async -> ()", "static App.M.main() async -> ()"),
        (
            "generic specialization <Swift.UInt> of generic partial specialization <serialized, Signature = @escaping "
                + "@convention(thin) <A><A1 where A == Swift.X, A1: Swift.Y> (@in_guaranteed A1) -> (@out A1)> of "
                + "(extension in App):Swift.Gen.next<A where A1: Swift.Y>(upperBound: A1) -> A1",
            "(extension in App):Swift.Gen.next<A where A1: Swift.Y>(upperBound: A1) -> A1"
        ),
        (
            "App.(Hidden in _DCEA22A485F0264A9F4497B76E05FC8E).make() -> [Swift.Int]",
            "App.(Hidden).make() -> [Swift.Int]"
        ),
        (
            "closure #3 (Swift.Int) -> () in closure #1 () -> () in App.run() -> ()",
            "closure #n (Swift.Int) -> () in closure #n () -> () in App.run() -> ()"
        ),
        ("merged App.Cache.items.getter : [Swift.Int]", "App.Cache.items.getter : [Swift.Int]"),
        (
            "App.Cache.items.modify : [Swift.String] with unmangled suffix \".resume.0\"",
            "App.Cache.items.modify : [Swift.String]"
        ),
        ("partial apply forwarder for closure #1 () -> () in App.f() -> ()", "closure #n () -> () in App.f() -> ()"),
        ("parse(int*, int, int) [clone .constprop.0] [clone .cold]", "parse(int*, int, int)"),
        ("app::(anonymous namespace)::hidden(int) [clone .isra.0]", "app::(anonymous namespace)::hidden(int)"),
        ("main::{lambda(int)#2}::operator()(int) const", "main::{lambda(int)#n}::operator()(int) const"),
        ("main::$_3::operator()() const", "main::$_n::operator()() const"),
        ("app::f()::'lambda1'(int)::operator()(int) const", "app::f()::'lambda'(int)::operator()(int) const"),
        ("table_grow.isra.0.cold", "table_grow"), ("parse.part.3", "parse"), ("f.llvm.1234567890", "f"),
        ("f.lto_priv.0", "f"), ("memcpy@@GLIBC_2.14", "memcpy"), ("malloc@plt", "malloc"), ("read + 0x1f", "read"),
        ("serde::de::visit::h0123456789abcdef", "serde::de::visit"), ("sub_0x401a2f", "sub_0xn"),
        ("operator new(unsigned long)", "operator new(unsigned long)"),
        ("ns::a::operator->(int)", "ns::a::operator->(int)"), ("", ""), ("$s3App1fyyF", "$s3App1fyyF"),
    ])
    func `what a build adds to a name is taken off`(name: String, normalised: String) {
        #expect(FunctionName(name).normalised == normalised)
        #expect(FunctionName(normalised).normalised == normalised, "a second time changes nothing")
    }

    @Test(arguments: [
        ("static App.M.main() async -> ()", "App"), ("App.Cache.init() -> App.Cache", "App"),
        ("generic specialization <App.Key> of Swift.Dictionary.subscript.setter : (A) -> B?", "Swift"),
        ("(extension in App):Swift.Array<A where A == Swift.Int>.doubled() -> [Swift.Int]", "App"),
        ("static (extension in Swift):Swift.Task< where A == Swift.Never>.yield() async -> ()", "Swift"),
        ("closure #1 (Swift.Int) -> () in static App.M.main() -> ()", "App"),
        ("closure #1 (NIOCore.ByteBuffer) -> () in (extension in App):NIOCore.Channel.read() -> ()", "App"),
        ("std::vector<int>::push_back(int const&)", nil), ("malloc", nil), ("main", nil),
        ("one-time initialization function for shared", nil), ("table_grow.isra.0", nil), ("...", nil), ("", nil),
    ])
    func `the module of a Swift name is told`(name: String, module: String?) {
        #expect(FunctionName(name).swiftModule == module)
    }

    @Test(arguments: [
        "reabstraction thunk helper from @escaping @callee_guaranteed () -> () to @escaping () -> (@out ())",
        "partial apply forwarder for closure #1 () -> () in App.f() -> ()",
        "protocol witness for App.Sink.put(Swift.Int) -> () in conformance App.S : App.Sink in App",
        "dispatch thunk of static Swift.Equatable.== infix(A, A) -> Swift.Bool",
        "outlined variable #0 of App.Cache.insert(Swift.String) -> ()", "implicit closure #2 () -> () in App.f() -> ()",
    ])
    func `glue of the compiler is told`(name: String) {
        #expect(FunctionName(name).isGlue)
    }

    @Test func `hostile names are only long`() {
        for name in [
            String(repeating: "<", count: 5000), "generic specialization " + String(repeating: "<a>", count: 2000),
            String(repeating: "merged ", count: 3000), "(" + String(repeating: "1", count: 4000),
            String(repeating: " in _", count: 1000), String(repeating: ".cold", count: 1000), "a.part.", ".1", "#",
            "0x",
        ] {
            #expect(FunctionName(name).normalised.utf8.count <= name.utf8.count + 1)
        }
    }
}
