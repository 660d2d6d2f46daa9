import BoundedCache
import OakumTestKit
import Testing

@Suite struct MemorySizedTests {
    @Test func `what lies in the value itself or in the program holds nothing`() {
        #expect(7.heapBytes == 0)
        #expect("small".heapBytes == 0)
        #expect("a literal that is much longer than fifteen bytes".heapBytes == 0)
        #expect([Int]().heapBytes == 0)
        #expect([String: Int]().heapBytes == 0)
        #expect(Set<Int>().heapBytes == 0)
        #expect(String?.none.heapBytes == 0)
    }

    @Test(.disabled(if: Sanitizer.isOn, "a sanitizer brings its own allocator"))
    func `spare capacity counts, and so do elements`() {
        var array: [UInt8] = []
        array.reserveCapacity(10_000)
        array.append(1)
        #expect(array.heapBytes >= 10_000)
        let word = String(repeating: "w", count: 40)
        #expect(word.heapBytes >= 72)
        #expect([word, word].heapBytes > 2 * word.heapBytes)
        #expect([word: [1, 2, 3]].heapBytes > word.heapBytes)
        #expect(Optional(word).heapBytes == word.heapBytes)
        #expect(heapBytes(of: word, 3, [word]) == word.heapBytes + [word].heapBytes)
    }
}
