// Reads the text files of test cases that scripts in tests/reference write: `case KIND LABEL`, then lines `NAME VALUE...` with
// hexadecimal values; `names KIND NAME...` before the first case.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "../field/field.hpp"

struct TestCase {
    std::string kind, label;
    std::map<std::string, std::vector<bbipc::U256>> values;

    // The values of one line, which must be `count` elements of F.
    template <class F>
    std::vector<F> elements(const std::string& name, std::size_t count) const {
        const auto found = values.find(name);
        if (found == values.end() || found->second.size() != count) {
            std::fprintf(stderr, "case %s %s: no %zu values of %s\n", kind.c_str(), label.c_str(), count, name.c_str());
            std::exit(2);
        }
        std::vector<F> result;
        for (const bbipc::U256& v : found->second) result.push_back(F::reduce(v));
        return result;
    }

    // The values of one line as big-endian words of 32 bytes.
    std::vector<std::uint8_t> bytes(const std::string& name) const {
        const std::vector<bbipc::U256>& words = values.at(name);
        std::vector<std::uint8_t> result(32 * words.size());
        for (std::size_t i = 0; i < words.size(); ++i) store_be(&result[32 * i], words[i]);
        return result;
    }

    template <class F>
    F element(const std::string& name) const {
        return elements<F>(name, 1)[0];
    }
};

struct CaseFile {
    std::map<std::string, std::vector<std::string>> names;
    std::vector<TestCase> cases;

    // Ends the program if the file cannot be read.
    explicit CaseFile(const char* path) {
        std::ifstream file(path);
        for (std::string line; std::getline(file, line);) read_line(line);
        if (cases.empty()) {
            std::fprintf(stderr, "no cases in %s\n", path);
            std::exit(2);
        }
    }

  private:
    static bbipc::U256 parse(const std::string& digits) {
        if (digits.empty() || digits.size() > 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
            std::fprintf(stderr, "not a hexadecimal number of 256 bits: %s\n", digits.c_str());
            std::exit(2);
        }
        const std::string padded = std::string(64 - digits.size(), '0') + digits;
        bbipc::U256 value;
        for (std::size_t i = 0; i < 4; ++i) value.limb[3 - i] = std::stoull(padded.substr(16 * i, 16), nullptr, 16);
        return value;
    }

    void read_line(const std::string& line) {
        std::istringstream words(line);
        std::string first, word;
        words >> first;
        if (first == "names") {
            words >> first;
            while (words >> word) names[first].push_back(word);
        } else if (first == "case") {
            TestCase& added = cases.emplace_back();
            words >> added.kind >> added.label;
        } else {
            std::vector<bbipc::U256>& values = cases.at(cases.size() - 1).values[first];
            while (words >> word) values.push_back(parse(word));
        }
    }
};
